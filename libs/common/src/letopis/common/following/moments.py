"""From a moment to a position: facts stand in the order in which they were recorded."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from letopis.common.envelope import Record


async def last_before(read: Callable[[int, int], Awaitable[Sequence[Record]]], moment: datetime) -> int:
    """The position of the last fact recorded before a moment, 0 for none: by doubling, then halving."""

    async def before(position: int) -> bool:
        records = await read(position - 1, 1)
        return bool(records) and records[0].recorded_at < moment

    low, high = 0, 1
    while await before(high):
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if await before(middle + 1):
            low = middle + 1
        else:
            high = middle
    return low
