"""Connections to PostgreSQL, and what its being away means."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from letopis.common.errors import Unavailable

# Classes of SQLSTATE that say the database is away or busy, not that we asked wrongly.
_AWAY = ("08", "53", "55P03", "57P")


def open_engine(url: str, *, size: int = 4, name: str = "letopis", autocommit: bool = False) -> AsyncEngine:
    """An engine on psycopg: connects on first use, at most twice `size` connections, waits at most 5 s for one.

    Two are kept when idle, the last used first: an idle backend costs PostgreSQL two megabytes, and there are many.
    """
    kept = min(size, 2)
    options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=kept,
        max_overflow=2 * size - kept,
        pool_use_lifo=True,
        pool_timeout=5,
        pool_recycle=1800,
        connect_args={"connect_timeout": 5, "application_name": name},
        **options,
    )


def sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


@asynccontextmanager
async def away_is_unavailable() -> AsyncIterator[None]:
    """Turns a lost or refused connection into Unavailable; other errors pass."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("the database has no free connection") from error
    except (OperationalError, InterfaceError) as error:
        state = sqlstate(error)
        if not state or state.startswith(_AWAY):
            raise Unavailable("the database is away or busy") from error
        raise
    except OSError as error:
        raise Unavailable("the database cannot be reached") from error
