"""python -m letopis.inference all | api | worker | migrate | rebuild VIEW"""

import sys

from letopis.common.process import main
from letopis.inference.worker import PROCESS

if __name__ == "__main__":
    sys.exit(main(PROCESS))
