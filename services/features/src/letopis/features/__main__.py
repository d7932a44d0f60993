"""python -m letopis.features all | api | worker | jobs | migrate | rebuild VIEW"""

import sys

from letopis.common.process import main
from letopis.features.worker import PROCESS

if __name__ == "__main__":
    sys.exit(main(PROCESS))
