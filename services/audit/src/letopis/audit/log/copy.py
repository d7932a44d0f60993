"""The chronicle's own copy of every ledger, position by position, never changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable
from letopis.common.driver import driver
from letopis.common.envelope import Record
from letopis.common.errors import Conflict, LedgerHole
from letopis.common.eventstore import records as stored

_FIELDS = (
    *("ledger", "position", "stream", "version", "prev", "event_id", "type", "schema_version", "recorded_at"),
    *("command_id", "salt", "data", "meta"),
)
_KINDS = (
    *("text", "int8", "text", "int8", "int8", "uuid", "text", "int4", "timestamptz", "uuid"),
    *("bytea", "bytea", "bytea"),
)
_COPY = f"COPY copy.record ({', '.join(_FIELDS)}) FROM STDIN (FORMAT BINARY)"


class CopyStore:
    """Copies of ledgers in schema `copy`; the engine is in autocommit mode, an insert is durable on return."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def head(self, ledger: str) -> int:
        """The last position copied, 0 for none."""
        rows = await self._rows("SELECT max(position) FROM copy.record WHERE ledger = %s", (ledger,))
        return int(rows[0][0] or 0)

    async def open_ahead(self, ledgers: Iterable[str]) -> list[tuple[str, int]]:
        """Make the partition after the one each ledger is copied to; ledger and number of what was made."""
        rows = await self._rows("SELECT ledger, number FROM copy.open_ahead(%s)", (list(ledgers),))
        return [(ledger, number) for ledger, number in rows]

    async def append(self, ledger: str, records: Sequence[Record]) -> None:
        """Add records that follow each other; Conflict if somebody else copied one of them meanwhile."""
        try:
            async with driver(self.engine) as (connection, _), connection.cursor().copy(_COPY) as copy:
                copy.set_types(_KINDS)
                for record in records:
                    await copy.write_row(_row(record))
        except UniqueViolation as error:
            raise Conflict(f"a copy of {ledger} from {records[0].position} on is there already") from error

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        """Up to `limit` records after a position, contiguous from there (else LedgerHole)."""
        records = await self.select("position > %s AND position <= %s", ledger, after, after + limit)
        for expected, record in enumerate(records, after + 1):
            if record.position != expected:
                raise LedgerHole(f"the copy of {ledger} has no {expected}", ledger=ledger, position=expected)
        return records

    async def count(self, ledger: str, upto: int) -> int:
        """How many records stand at positions up to `upto`; fewer than `upto` means holes."""
        query = "SELECT count(*) FROM copy.record WHERE ledger = %s AND position <= %s"
        return int((await self._rows(query, (ledger, upto)))[0][0])

    async def span(self, ledger: str, begin: datetime, end: datetime, upto: int) -> tuple[int, int] | None:
        """The first and last position recorded from `begin` until before `end`, both up to a position; None for none.

        The database's clock may step back between two facts, so all between the two belong to the span.
        """
        query = (
            "SELECT min(position), max(position) FROM copy.record"
            " WHERE ledger = %s AND recorded_at >= %s AND recorded_at < %s AND position <= %s"
        )
        first, last = (await self._rows(query, (ledger, begin, end, upto)))[0]
        return None if first is None else (int(first), int(last))

    async def of_types(self, ledger: str, types: Iterable[str], upto: int) -> list[Record]:
        """Records of some types up to a position, in order."""
        return await self.select("type = ANY(%s) AND position <= %s", ledger, sorted(types), upto)

    async def typed(self, ledger: str, after: int, upto: int, patterns: Sequence[str]) -> list[Record]:
        """Records after a position up to another whose type is LIKE one of the patterns, in order."""
        return await self.select(
            "position > %s AND position <= %s AND type LIKE ANY(%s)", ledger, after, upto, [*patterns]
        )

    async def find(self, event_id: UUID) -> Record | None:
        """The record of an event, whichever its ledger."""
        found = await self._select("event_id = %s", (event_id,))
        return found[0] if found else None

    async def select(self, condition: LiteralString, ledger: str, *values: object) -> list[Record]:
        """Records of a ledger that meet a condition over columns, in order."""
        where: LiteralString = f"ledger = %s AND {condition} ORDER BY position"
        return await self._select(where, (ledger, *values))

    async def _select(self, where: LiteralString, values: Sequence[Any]) -> list[Record]:
        return await stored.select(self.engine, where, values, table="copy.record")

    async def _rows(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        async with away_is_unavailable(), self.engine.connect() as connection:
            return (await connection.exec_driver_sql(statement, values)).fetchall()


_row = attrgetter(*_FIELDS)
