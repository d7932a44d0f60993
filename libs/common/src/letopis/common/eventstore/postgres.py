"""The event store on PostgreSQL: one round trip an append, durable when it returns."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults
from letopis.common.database import away_is_unavailable, sqlstate
from letopis.common.envelope import NewFact, Record
from letopis.common.errors import Conflict, EventStoreError, KeyReused, LedgerHole, SourceGap, StreamClosed
from letopis.common.eventstore.port import Appended, CommandRow

_COLUMNS = (
    "ledger, position, stream, version, prev, event_id, type, schema_version, recorded_at, command_id, salt, data, meta"
)
_FIELDS = tuple(_COLUMNS.split(", "))
_FACTS = "%s::uuid[], %s::text[], %s::int[], %s::bytea[], %s::bytea[], %s::bytea[]"
_APPEND = f"SELECT first_pos, last_pos, replayed FROM es.append(%s, %s, %s, %s::uuid, %s::bytea, {_FACTS})"
_BATCH = f"SELECT first_pos, last_pos, replayed FROM es.append_batch(%s, %s::uuid, %s, {_FACTS})"
_REFUSALS = {
    "LE409": Conflict,
    "LE410": StreamClosed,
    "LE421": KeyReused,
    "LE424": SourceGap,
    "LE422": EventStoreError,
}


class PostgresEventStore:
    """Facts in schema `es`. The engine MUST be in autocommit mode: an append is never part of a longer transaction."""

    def __init__(self, engine: AsyncEngine, heard: Callable[[str, int], None] | None = None) -> None:
        self.engine = engine
        self.heard = heard

    async def append(
        self,
        ledger: str,
        stream: str,
        expected: int,
        facts: Sequence[NewFact],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        values = (ledger, stream, expected, command_id, request_hash, *_arrays(facts))
        return await self._append(ledger, _APPEND, values, repeat=command_id is not None)

    async def append_batch(self, ledger: str, source_id: UUID, first_seq: int, facts: Sequence[NewFact]) -> Appended:
        return await self._append(ledger, _BATCH, (ledger, source_id, first_seq, *_arrays(facts)), repeat=True)

    async def source_position(self, ledger: str, source_id: UUID) -> int:
        query = "SELECT last_seq FROM es.source WHERE ledger = %s AND source_id = %s"
        return int(await self._scalar(query, (ledger, source_id)) or 0)

    async def load(self, ledger: str, stream: str) -> list[Record]:
        query = f"SELECT {_COLUMNS} FROM es.event WHERE ledger = %s AND stream = %s ORDER BY position"
        return [_record(row) for row in await self._rows(query, (ledger, stream))]

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        query = (
            f"SELECT {_COLUMNS} FROM es.event WHERE ledger = %s AND position > %s AND position <= %s ORDER BY position"
        )
        records = [_record(row) for row in await self._rows(query, (ledger, after, after + limit))]
        for expected, record in enumerate(records, after + 1):
            if record.position != expected:
                raise LedgerHole(f"{ledger}/{expected} is missing", ledger=ledger, position=expected)
        return records

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

    async def _append(self, ledger: str, statement: str, values: tuple[Any, ...], *, repeat: bool) -> Appended:
        """A command with its id and a batch of a journal may be repeated: the store answers them once."""
        try:
            first, last, replayed = (await self._rows(statement, values, repeat=repeat))[0]
        except DBAPIError as error:
            refusal = _REFUSALS.get(sqlstate(error))
            if refusal is None:
                raise
            raise refusal(str(error.orig).splitlines()[0]) from None
        if self.heard is not None:
            self.heard(ledger, last)
        return Appended(ledger=ledger, first=first, last=last, replayed=replayed)

    async def _rows(self, statement: str, values: tuple[Any, ...], *, repeat: bool = True) -> Sequence[Any]:
        """Rows of one statement. Where repeating it is harmless, a connection found dead is replaced once."""
        async with away_is_unavailable():
            try:
                return await self._once(statement, values)
            except DBAPIError as error:
                # A restart of the database leaves dead connections in the pool; they are noticed only in use.
                if not (repeat and error.connection_invalidated):
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


def _arrays(facts: Sequence[NewFact]) -> tuple[list[Any], ...]:
    return (
        [fact.event_id for fact in facts],
        [fact.type for fact in facts],
        [fact.schema_version for fact in facts],
        [fact.salt for fact in facts],
        [fact.data for fact in facts],
        [fact.meta for fact in facts],
    )


def _record(row: Sequence[Any]) -> Record:
    return Record(**dict(zip(_FIELDS, row, strict=True)))
