"""The connection on which a ledger's appends travel: one statement at a time, prepared once, in binary."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.errors import error_from_result
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults
from letopis.common.errors import Unavailable

Row = tuple[bytes | None, ...]


class LineLost(Exception):
    """The connection ended before the answer came: whether the statement was carried out is not known."""


class Line:
    """A connection of its own, opened on first use and again after it was lost; closed when its engine is disposed.

    The driver's own `execute` and the engine's pool cost more than PostgreSQL needs for the append itself, so the
    statement is sent and its answer awaited by libpq's own calls.
    """

    def __init__(self, engine: AsyncEngine, statements: dict[str, str]) -> None:
        self._engine = engine
        self._statements = statements
        self._connection: AsyncConnection[Any] | None = None
        event.listen(engine.sync_engine, "engine_disposed", lambda _: self.close())

    async def ask(self, name: str, values: Sequence[bytes]) -> list[Row]:
        """The rows that a prepared statement answers; psycopg.Error where it was refused, LineLost."""
        connection = await self._opened()
        pgconn = connection.pgconn
        faults.point("store.connected")
        try:
            pgconn.send_query_prepared(name.encode(), values, [pq.Format.BINARY] * len(values), pq.Format.BINARY)
            result = await _answer(pgconn)
        except psycopg.OperationalError as error:
            self.close()
            raise LineLost(str(error)) from error
        except BaseException:
            # Cancelled in the middle: what comes later would be taken for the answer to the next question.
            self.close()
            raise
        if pgconn.status != pq.ConnStatus.OK:
            self.close()
            raise LineLost(result.get_error_message())
        faults.point("store.answered")
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise error_from_result(result)
        return [
            tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
        ]

    def close(self) -> None:
        """End the connection if there is one; without waiting, so that it may be called from anywhere."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None

    async def _opened(self) -> AsyncConnection[Any]:
        """A connection that was alive just now: one found dead here has carried nothing, so nothing is in doubt."""
        if self._connection is not None:
            try:
                # The first may find a farewell in the socket, the second then finds its end.
                self._connection.pgconn.consume_input()
                self._connection.pgconn.consume_input()
            except psycopg.OperationalError:
                self.close()
        # What the pool kept may be as dead; it keeps two.
        tries = 3
        while self._connection is None:
            try:
                pooled = await self._engine.raw_connection()
            except psycopg.OperationalError as error:
                raise Unavailable("the database cannot be reached") from error
            driver = cast("AsyncConnection[Any]", pooled.driver_connection)
            pooled.detach()
            try:
                await driver.set_autocommit(True)
                for name, statement in self._statements.items():
                    await driver.execute(f"PREPARE {name} {statement}".encode())
                self._connection = driver
            except psycopg.OperationalError:
                driver.pgconn.finish()
                tries -= 1
                if not tries:
                    raise Unavailable("the database ends every connection") from None
        return self._connection


class _Ear:
    """The loop's watch over a connection while an answer comes; `done` is set when libpq has something to tell."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._loop = asyncio.get_running_loop()
        self._pgconn = pgconn
        self._socket = pgconn.socket
        self._watches = True
        self._writes = bool(pgconn.flush())
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._socket, self.move)
        if self._writes:
            self._loop.add_writer(self._socket, self.move)

    def again(self) -> None:
        """Watch for what comes behind a result; it may be there already."""
        self.done = self._loop.create_future()
        self.move()

    def move(self) -> None:
        """Send what is left, take what has come."""
        try:
            if self._writes and not self._pgconn.flush():
                self._writes = False
                self._loop.remove_writer(self._socket)
            self._pgconn.consume_input()
            ready = not self._pgconn.is_busy()
        except psycopg.Error as error:
            # Libpq has closed the descriptor, and the next one to be opened gets its number: whoever waits on that one
            # would wait for ever if it were taken out of the loop later than now.
            self.leave()
            if not self.done.done():
                self.done.set_exception(error)
            return
        if self._pgconn.status != pq.ConnStatus.OK:
            self.leave()
            ready = True
        if ready and not self.done.done():
            self.done.set_result(None)

    def leave(self) -> None:
        """Stop watching; once, for afterwards the number may be somebody else's."""
        if self._watches:
            self._watches = False
            self._loop.remove_reader(self._socket)
            if self._writes:
                self._loop.remove_writer(self._socket)


async def _answer(pgconn: pq.abc.PGconn) -> pq.abc.PGresult:
    """The first result, once all have come."""
    ear, first = _Ear(pgconn), None
    try:
        await ear.done
        while (result := pgconn.get_result()) is not None:
            first = first or result
            ear.again()
            await ear.done
    finally:
        ear.leave()
    if first is None:
        raise psycopg.OperationalError("the connection ended without an answer")
    return first
