"""The stack's commands without the `letopis` command: `python -m letopis.local up`."""

import sys

from letopis.local.commands import app

if __name__ == "__main__":
    sys.exit(app())
