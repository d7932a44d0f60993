"""python -m letopis.registry all | api | worker | migrate | rebuild VIEW"""

import sys

from letopis.common.process import main
from letopis.registry.worker import PROCESS

if __name__ == "__main__":
    sys.exit(main(PROCESS))
