"""python -m letopis.monitoring all | api | worker | migrate | rebuild VIEW | rebuild profile [MONITOR]"""

import asyncio
import sys

from letopis.common.errors import LetopisError
from letopis.common.process import main
from letopis.monitoring.worker import PROCESS, rebuild_by_hand


def _rebuild(monitor_id: str = "") -> int:
    try:
        told = asyncio.run(rebuild_by_hand(PROCESS.settings(), monitor_id))
    except LetopisError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201 a command line answers
        return 1
    for name, facts in told.items():
        print(f"profile of {name}: rebuilt from {facts:,} facts and live")  # noqa: T201 a command line answers
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rebuild", "profile", *monitor] if len(monitor) <= 1:
            # Profiles are a view for each monitor, so they are not among the views listed in worker.py.
            sys.exit(_rebuild(*monitor))
        case _:
            sys.exit(main(PROCESS))
