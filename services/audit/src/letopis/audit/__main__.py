"""python -m letopis.audit all | api | worker | migrate | rebuild VIEW"""

import sys

from letopis.audit.worker import PROCESS
from letopis.common.process import main

if __name__ == "__main__":
    sys.exit(main(PROCESS))
