"""Partitions are made ahead, never by those who append: a part of every worker sees to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable

# 2^24 facts fill in half an hour at the fastest; a partition is made one whole partition before.
PAUSE = 60.0
_log = logging.getLogger(__name__)


async def open_ahead(engine: AsyncEngine) -> list[tuple[str, int]]:
    """Make what is missing after the partition that each ledger writes to; ledger and number of what was made.

    The engine MUST be in autocommit mode.
    """
    async with away_is_unavailable(), engine.connect() as connection:
        rows = await connection.execute(text("SELECT ledger, number FROM es.open_ahead()"))
        return [(ledger, number) for ledger, number in rows]


async def keep_ahead(opening: Callable[[], Awaitable[list[tuple[str, int]]]]) -> None:
    """Look every minute until cancelled; `opening` makes what is missing and names it."""
    while True:
        for ledger, number in await opening():
            _log.info("a partition was made ahead", extra={"ledger": ledger, "number": number})
        await asyncio.sleep(PAUSE)
