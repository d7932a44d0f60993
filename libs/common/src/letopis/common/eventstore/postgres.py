"""The event store on PostgreSQL: one round trip an append, durable when it returns."""

from collections.abc import Callable, Sequence
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults
from letopis.common.database import away_is_unavailable
from letopis.common.envelope import NewFact, Record
from letopis.common.errors import LedgerHole
from letopis.common.eventstore import records
from letopis.common.eventstore.archive import Archive
from letopis.common.eventstore.group import STATEMENTS, Appender, Batch, Command
from letopis.common.eventstore.line import Line
from letopis.common.eventstore.port import Appended, CommandRow, StreamFacts, check


class PostgresEventStore:
    """Facts in schema `es`. The engine MUST be in autocommit mode: an append is never part of a longer transaction."""

    def __init__(
        self, engine: AsyncEngine, heard: Callable[[str, int], None] | None = None, *, archive: str = ""
    ) -> None:
        """`heard` is told of every append; `archive` is the address of the object store with retired partitions."""
        self.engine = engine
        self._archive = Archive(engine, archive) if archive else None
        self.heard = heard
        self._appenders: dict[str, Appender] = {}

    async def append(
        self,
        ledger: str,
        stream: str,
        expected: int,
        facts: Sequence[NewFact],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        one = StreamFacts(stream=stream, expected=expected, facts=facts)
        return await self.append_all(ledger, [one], command_id, request_hash)

    async def append_all(
        self,
        ledger: str,
        streams: Sequence[StreamFacts],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        check(streams)
        command = Command(streams=streams, command_id=command_id, request_hash=request_hash)
        return await self._appender(ledger).append(command)

    async def append_batch(self, ledger: str, source_id: UUID, first_seq: int, facts: Sequence[NewFact]) -> Appended:
        return await self._appender(ledger).append(Batch(source_id=source_id, first_seq=first_seq, facts=facts))

    async def source_position(self, ledger: str, source_id: UUID) -> int:
        query = "SELECT last_seq FROM es.source WHERE ledger = %s AND source_id = %s"
        return int(await self._scalar(query, (ledger, source_id)) or 0)

    async def load(self, ledger: str, stream: str) -> list[Record]:
        where: LiteralString = "ledger = %s AND stream = %s ORDER BY position"
        found = await records.select(self.engine, where, (ledger, stream))
        if self._archive is None or (found and not found[0].prev) or not await self._archive.holds_any(ledger):
            return found
        if found:
            return await self._archive.stream(ledger, stream, found[0].prev) + found
        query = "SELECT last_position FROM es.stream WHERE ledger = %s AND stream = %s"
        return await self._archive.stream(ledger, stream, int(await self._scalar(query, (ledger, stream)) or 0))

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        found = await self._select(ledger, after, limit)
        if self._archive is not None and (
            found[0].position > after + 1 if found else await self._archive.holds_any(ledger)
        ):
            older = await self._archive.read(ledger, after, limit)
            if older:
                found = older + await self._select(ledger, after + len(older), limit - len(older))
        for expected, record in enumerate(found, after + 1):
            if record.position != expected:
                raise LedgerHole(f"{ledger}/{expected} is missing", ledger=ledger, position=expected)
        return found

    async def whole(self, ledger: str) -> bool:
        """Whether the database has all facts of the ledger itself: none has left for the archive."""
        return not await self._scalar("SELECT count(*) FROM es.archive WHERE ledger = %s", (ledger,))

    async def head(self, ledger: str) -> int:
        return int(await self._scalar("SELECT head FROM es.ledger WHERE ledger = %s", (ledger,)) or 0)

    async def stream_head(self, ledger: str, stream: str) -> int:
        query = "SELECT version FROM es.stream WHERE ledger = %s AND stream = %s"
        return int(await self._scalar(query, (ledger, stream)) or 0)

    async def find_command(self, ledger: str, command_id: UUID) -> CommandRow | None:
        query = "SELECT request_hash, first_pos, last_pos FROM es.command WHERE ledger = %s AND command_id = %s"
        rows = await self._rows(query, (ledger, command_id))
        if not rows:
            return None
        request_hash, first, last = rows[0]
        return CommandRow(command_id=command_id, request_hash=bytes(request_hash), first=first, last=last)

    async def _select(self, ledger: str, after: int, limit: int) -> list[Record]:
        where: LiteralString = "ledger = %s AND position > %s AND position <= %s ORDER BY position"
        return await records.select(self.engine, where, (ledger, after, after + limit))

    def _appender(self, ledger: str) -> Appender:
        appender = self._appenders.get(ledger)
        if appender is None:
            appender = self._appenders[ledger] = Appender(ledger, Line(self.engine, STATEMENTS), self.heard)
        return appender

    async def _rows(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """Rows of a question; a connection found dead is replaced once."""
        async with away_is_unavailable():
            try:
                return await self._once(statement, values)
            except DBAPIError as error:
                # A restart of the database leaves dead connections in the pool; they are noticed only in use.
                if not error.connection_invalidated:
                    raise
            return await self._once(statement, values)

    async def _once(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        async with self.engine.connect() as connection:
            faults.point("store.connected")
            found = (await connection.exec_driver_sql(statement, values)).fetchall()
            faults.point("store.answered")
            return found

    async def _scalar(self, statement: str, values: tuple[Any, ...]) -> Any:
        rows = await self._rows(statement, values)
        return rows[0][0] if rows else None
