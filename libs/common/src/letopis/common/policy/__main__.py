"""`python -m letopis.common.policy`: the policy commands without the rest of the command line."""

import sys

from letopis.common.errors import LetopisError
from letopis.common.policy.cli import app

if __name__ == "__main__":
    try:
        app()
    except LetopisError as error:
        sys.exit(f"{error.title}: {error.detail}")
