"""The driver's own connection out of an engine's pool: COPY and explicit transactions are not SQLAlchemy's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import psycopg
from psycopg.types.json import set_json_loads
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable
from letopis.common.errors import Unavailable

Connection = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def driver(engine: AsyncEngine) -> AsyncIterator[tuple[Connection, set[str]]]:
    """A connection in autocommit mode, and a set that lives as long as it: what was made on it.

    Raises Unavailable when the database is or goes away.
    """
    async with away_is_unavailable(), engine.connect() as plain:
        borrowed = await plain.execution_options(isolation_level="AUTOCOMMIT")
        raw = await borrowed.get_raw_connection()
        try:
            connection = cast("Connection", raw.driver_connection)
            if "made" not in raw.info:
                raw.info["made"] = set()
                set_json_loads(msgspec.json.decode, connection)
            yield connection, raw.info["made"]
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            await borrowed.invalidate(error)
            raise Unavailable("the database went away") from error
