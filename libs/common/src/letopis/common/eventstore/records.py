"""Stored facts as records, read in the driver's binary format: text would double the bytes of `data` and `meta`.

Every reader of a ledger in the service's own database goes through here.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.driver import driver
from letopis.common.envelope import Record, records_of_rows
from letopis.common.errors import Unavailable

_SELECT: LiteralString = (
    "SELECT ledger, position, stream, version, prev, event_id, type, schema_version, recorded_at, command_id,"
    " salt, data, meta FROM "
)
# A restart of the database leaves dead connections in the pool, two at most; they are noticed only in use.
_TRIES = 3


async def select(
    engine: AsyncEngine, where: LiteralString, values: Sequence[Any], *, table: LiteralString = "es.event"
) -> list[Record]:
    """The records that fit, in the order asked for; Unavailable when the database is away."""
    query: LiteralString = f"{_SELECT}{table} WHERE {where}"
    tried = 1
    while True:
        try:
            async with driver(engine) as (connection, _):
                cursor = connection.cursor(binary=True)
                await cursor.execute(query, values)
                return records_of_rows(await cursor.fetchall())
        except Unavailable as away:
            if tried == _TRIES or not isinstance(away.__cause__, psycopg.Error):
                raise
            tried += 1
