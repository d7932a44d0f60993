"""python -m letopis.console all | api | worker | migrate | rebuild VIEW"""

import sys

from letopis.common.process import main
from letopis.console.worker import PROCESS

if __name__ == "__main__":
    sys.exit(main(PROCESS))
