"""The event core on durable parts: appending, relaying, reading and rebuilding, beside the bare way.

Both sides get the same finished bytes, take turns on the same server, and are durable when they answer.
"""

import asyncio

from e2e.bench import appending, news, rebuilding
from e2e.bench.parts import running
from e2e.bench.report import Row


def measure(seconds: float = 4) -> list[Row]:
    """All rows; every timed stretch lasts about `seconds`, peers as long."""
    with running() as parts:
        appended = asyncio.run(appending.measure(parts, seconds))
        told = news.measure(parts, seconds)
    # Parts of its own: what is rebuilt is a ledger of one journal, with as many facts as are said.
    with running() as parts:
        return [*appended, *told, *rebuilding.measure(parts, seconds)]
