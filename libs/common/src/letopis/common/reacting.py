"""Reactions: a fact, one's own or another service's, becomes a command or a job; each fact at least once, in order.

What a reaction does MUST be harmless when repeated: its commands take a command id derived from the fact's event id.
The checkpoint moves after the reaction returned, so a crash repeats the fact, never loses it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults
from letopis.common.database import away_is_unavailable
from letopis.common.envelope import Record
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.following.source import Source
from letopis.common.observability import Metrics
from letopis.common.projecting.told import Facts, Told, tell

BATCH = 200
PATIENCE = 1.0
_log = logging.getLogger(__name__)

_OPEN = text("INSERT INTO reacting.checkpoint VALUES (:reaction, :ledger, 0) ON CONFLICT DO NOTHING")
_STAND = text("SELECT ledger, position FROM reacting.checkpoint WHERE reaction = :reaction")
_MOVE = text(
    "UPDATE reacting.checkpoint SET position = :position WHERE reaction = :reaction AND ledger = :ledger "
    "AND position < :position"
)
_PARK = text(
    "INSERT INTO reacting.parked (reaction, ledger, position, stream, error) "
    "VALUES (:reaction, :ledger, :position, :stream, :error) ON CONFLICT DO NOTHING"
)
_PARKED = text(
    "SELECT position, stream FROM reacting.parked WHERE reaction = :reaction AND ledger = :ledger ORDER BY position"
)
_UNPARK = text("DELETE FROM reacting.parked WHERE reaction = :reaction AND ledger = :ledger AND position = :position")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What listens to which facts; facts that the catalogues do not know are passed over."""

    name: str
    sources: Mapping[str, Facts]
    react: Callable[[Told], Awaitable[None]]


@dataclass(slots=True)
class Reactor:
    """The worker of one reaction. `engine` is the application's.

    A fact that the reaction cannot take is parked with its reason, and later facts of the same stream wait behind
    it; other streams go on. What is parked is tried again when the process starts: by then the code may be mended.
    Unavailable is no such reason: the same fact comes again, and other ledgers go on meanwhile.
    """

    reaction: Reaction
    sources: Mapping[str, Source]
    engine: AsyncEngine
    metrics: Metrics
    positions: dict[str, int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """React for ever; raises Unavailable when nothing can be done, for whoever restarts it."""
        await self._open()
        await self.retry()
        while True:
            if not await self.step():
                await self._wait()

    async def step(self) -> int:
        """React to a batch of each ledger; the number of facts read."""
        if not self.positions:
            await self._open()
        read, failures = 0, {}
        for ledger in self.reaction.sources:
            try:
                records = await self.sources[ledger].read(self.positions[ledger], BATCH)
                if records:
                    faults.point("reaction.read")
                    await self._take(ledger, list(records))
                read += len(records)
            except Unavailable as error:
                failures[ledger] = error
        self.away = set(failures)
        if failures and len(failures) == len(self.reaction.sources):
            raise next(iter(failures.values()))
        self._measure()
        return read

    async def retry(self) -> None:
        """Try what is parked once more, each stream in order up to the first fact that fails again."""
        for ledger, facts in self.reaction.sources.items():
            failing: set[str] = set()
            for row in await self._parked(ledger):
                if row.stream in failing:
                    continue
                try:
                    (record,) = await self.sources[ledger].read(row.position - 1, 1)
                    if (told := tell(record, facts)) is not None:
                        await self.reaction.react(told)
                except Exception:  # noqa: BLE001 it was parked with its reason, and stays
                    failing.add(row.stream)
                else:
                    await self._execute(_UNPARK, ledger=ledger, position=row.position)

    async def _take(self, ledger: str, records: list[Record]) -> None:
        blocked = await self._blocked(ledger)
        for record in records:
            if record.position != self.positions[ledger] + 1:
                raise LedgerHole(f"{ledger}/{self.positions[ledger] + 1} is missing", ledger=ledger)
            told = tell(record, self.reaction.sources[ledger])
            if told is not None and record.stream in blocked:
                await self._park(record, "waits behind a parked fact of its stream")
            elif told is not None:
                try:
                    await self.reaction.react(told)
                    faults.point("reaction.reacted")
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 poison is parked with its reason and stops only its stream
                    _log.exception("a fact is parked", extra={"reaction": self.reaction.name, "ledger": ledger})
                    await self._park(record, f"{type(error).__name__}: {error}"[:2000])
                    blocked.add(record.stream)
            if told is not None or record is records[-1]:
                await self._execute(_MOVE, ledger=ledger, position=record.position)
                faults.point("reaction.moved")
                self.sources[ledger].taken(self.reaction.name, record.position)
            self.positions[ledger] = record.position

    async def _open(self) -> None:
        name = self.reaction.name
        async with away_is_unavailable(), self.engine.begin() as connection:
            for ledger in self.reaction.sources:
                await connection.execute(_OPEN, {"reaction": name, "ledger": ledger})
            rows = await connection.execute(_STAND, {"reaction": name})
            self.positions = {row.ledger: row.position for row in rows}
        for ledger, position in self.positions.items():
            if ledger in self.sources:
                self.sources[ledger].taken(name, position)

    async def _park(self, record: Record, reason: str) -> None:
        await self._execute(_PARK, ledger=record.ledger, position=record.position, stream=record.stream, error=reason)

    async def _blocked(self, ledger: str) -> set[str]:
        found = {row.stream for row in await self._parked(ledger)}
        parked = self.metrics.gauge(
            "reaction_parked_streams", "Streams that wait behind a parked fact", ("reaction", "ledger")
        )
        parked.labels(self.reaction.name, ledger).set(len(found))
        return found

    async def _parked(self, ledger: str) -> Sequence[Row[Any]]:
        async with away_is_unavailable(), self.engine.connect() as connection:
            return (await connection.execute(_PARKED, {"reaction": self.reaction.name, "ledger": ledger})).all()

    async def _execute(self, statement: TextClause, **values: object) -> None:
        async with away_is_unavailable(), self.engine.begin() as connection:
            await connection.execute(statement, {"reaction": self.reaction.name, **values})

    def _measure(self) -> None:
        lag = self.metrics.gauge(
            "reaction_lag_events", "Facts heard of that the reaction has not seen", ("reaction", "ledger")
        )
        for ledger in self.reaction.sources:
            behind = max(self.sources[ledger].known - self.positions[ledger], 0)
            lag.labels(self.reaction.name, ledger).set(behind)

    async def _wait(self) -> None:
        waits = [
            asyncio.create_task(self.sources[ledger].wait(self.positions[ledger], PATIENCE))
            for ledger in self.reaction.sources
            if ledger not in self.away
        ]
        if self.away:
            waits.append(asyncio.create_task(asyncio.sleep(PATIENCE)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
