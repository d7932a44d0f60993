"""One worker at a time runs jobs: a lock of the database, held by one connection as long as it lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from letopis.common.database import away_is_unavailable
from letopis.common.errors import Unavailable

PAUSE = 1.0
_LOCK = text("SELECT pg_try_advisory_lock(hashtext('letopis.inference.jobs'))")
_ALIVE = text("SELECT 1")


@dataclass(slots=True)
class JobTurn:
    """The right to run jobs."""

    engine: AsyncEngine
    _connection: AsyncConnection | None = field(default=None)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it; Unavailable while the database is away."""
        async with away_is_unavailable(), self.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            while not (await alone.execute(_LOCK)).scalar_one():  # noqa: ASYNC110 the database tells no event
                await asyncio.sleep(PAUSE)
            self._connection = alone
            try:
                yield
            finally:
                self._connection = None
                # The lock ends with the connection; one given back to the pool would keep it.
                with suppress(Exception):
                    await connection.invalidate()

    async def check(self) -> None:
        """Unavailable if the turn is lost: somebody else may be running the job."""
        if self._connection is None:
            raise Unavailable("it is another worker's turn to run jobs")
        async with away_is_unavailable():
            await self._connection.execute(_ALIVE)
