"""Where parked facts lie: the table `reacting.parked` of a service's database.

A row is `failed` (poison: its stream waits), `waiting` (behind a failed one), or `released` (to be tried again).
The first row of a stream decides: unless it failed, the reaction goes through the stream's rows in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable
from letopis.common.envelope import Record
from letopis.common.parked.events import Way

FAILED, WAITING = "failed", "waiting"
LIMIT = 500
_WHERE = "WHERE reaction = :reaction AND ledger = :ledger"
_PARK = text(
    "INSERT INTO reacting.parked (reaction, ledger, position, stream, type, event_id, state, error) "
    "VALUES (:reaction, :ledger, :position, :stream, :type, :event_id, :state, :error) ON CONFLICT DO NOTHING"
)
_OF = text(f"SELECT position, stream, state FROM reacting.parked {_WHERE} ORDER BY position")
_FAILED = text(
    "UPDATE reacting.parked SET state = 'failed', error = :error, attempts = attempts + 1, "
    f"parked_at = clock_timestamp() {_WHERE} AND position = :position"
)
_UNPARK = text(f"DELETE FROM reacting.parked {_WHERE} AND position = :position")
_RELEASE = text(f"UPDATE reacting.parked SET state = 'released' {_WHERE} AND position = :position AND state = 'failed'")
_RELEASE_ALL = text("UPDATE reacting.parked SET state = 'released' WHERE reaction = :reaction AND state = 'failed'")
_LISTED = """SELECT reaction, ledger, position, stream, type, event_id, error, attempts, parked_at,
    (SELECT count(*) FROM reacting.parked later WHERE later.reaction = p.reaction AND later.ledger = p.ledger
        AND later.stream = p.stream AND later.position > p.position) AS waiting
FROM reacting.parked p WHERE state = 'failed'"""
_ALL = text(f"{_LISTED} ORDER BY parked_at, position LIMIT {LIMIT}")
_ONE = text(f"{_LISTED} AND reaction = :reaction AND ledger = :ledger AND position = :position")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A fact that failed, why, and how many wait behind it."""

    reaction: str
    ledger: str
    position: int
    stream: str
    type: str
    event_id: str
    error: str
    attempts: int
    parked_at: datetime
    waiting: int

    @property
    def id(self) -> str:
        return f"{self.reaction}.{self.ledger}.{self.position}"


@dataclass(frozen=True, slots=True)
class ParkedShelf:
    """`engine` is the application's."""

    engine: AsyncEngine

    async def park(self, reaction: str, record: Record, error: str = "") -> None:
        """Lay a fact that failed for this reason, or without one that waits behind such a fact, where it is kept."""
        await self._execute(
            _PARK,
            reaction=reaction,
            ledger=record.ledger,
            position=record.position,
            stream=record.stream,
            type=record.type,
            event_id=record.event_id,
            state=FAILED if error else WAITING,
            error=error,
        )

    async def of(self, reaction: str, ledger: str) -> Sequence[Row[Any]]:
        """Position, stream and state of all that a reaction has parked, in order."""
        return await self._rows(_OF, reaction=reaction, ledger=ledger)

    async def failed_again(self, reaction: str, ledger: str, position: int, error: str) -> None:
        await self._execute(_FAILED, reaction=reaction, ledger=ledger, position=position, error=error)

    async def unpark(self, reaction: str, ledger: str, position: int) -> None:
        """It was taken, or is passed over."""
        await self._execute(_UNPARK, reaction=reaction, ledger=ledger, position=position)

    async def release(self, way: Way, reaction: str, ledger: str, position: int) -> None:
        """What two people decided; harmless when repeated."""
        statement = _RELEASE if way == "retry" else _UNPARK
        await self._execute(statement, reaction=reaction, ledger=ledger, position=position)

    async def release_all(self, reaction: str) -> None:
        """Everything of a reaction is to be tried again."""
        await self._execute(_RELEASE_ALL, reaction=reaction)

    async def failed(self) -> list[Parked]:
        """What people have to decide about, the oldest first."""
        return [_parked(row) for row in await self._rows(_ALL)]

    async def find(self, parked_id: str) -> Parked | None:
        """One of them by its id `<reaction>.<ledger>.<position>`."""
        reaction, _, rest = parked_id.partition(".")
        ledger, _, position = rest.partition(".")
        if not (position.isascii() and position.isdigit() and len(position) < 16):
            return None
        rows = await self._rows(_ONE, reaction=reaction, ledger=ledger, position=int(position))
        return _parked(rows[0]) if rows else None

    async def _rows(self, statement: TextClause, **values: object) -> Sequence[Row[Any]]:
        async with away_is_unavailable(), self.engine.connect() as connection:
            return (await connection.execute(statement, values)).all()

    async def _execute(self, statement: TextClause, **values: object) -> None:
        async with away_is_unavailable(), self.engine.begin() as connection:
            await connection.execute(statement, values)


def _parked(row: Row[Any]) -> Parked:
    told = row._asdict()
    return Parked(**told | {"event_id": str(told["event_id"])})
