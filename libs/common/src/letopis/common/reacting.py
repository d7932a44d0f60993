"""Reactions: a fact, one's own or another service's, becomes a command or a job; each fact at least once, in order.

What a reaction does MUST be harmless when repeated: its commands take a command id derived from the fact's event id.
The checkpoint moves after the reaction returned, so a crash repeats the fact, never loses it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults, observability
from letopis.common.clock import Clock, SystemClock
from letopis.common.database import away_is_unavailable
from letopis.common.envelope import Record
from letopis.common.errors import LedgerHole, LetopisError, Unavailable
from letopis.common.following.source import Source
from letopis.common.observability import Metrics
from letopis.common.parked.shelf import FAILED, ParkedShelf
from letopis.common.projecting.told import Facts, Told, tell

BATCH = 200
PATIENCE = 1.0
# A ledger whose facts cannot be had or taken now rests, each time twice as long.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST = 2000
_log = logging.getLogger(__name__)

_OPEN = text("INSERT INTO reacting.checkpoint VALUES (:reaction, :ledger, 0) ON CONFLICT DO NOTHING")
_STAND = text("SELECT ledger, position FROM reacting.checkpoint WHERE reaction = :reaction")
_MOVE = text(
    "UPDATE reacting.checkpoint SET position = :position WHERE reaction = :reaction AND ledger = :ledger "
    "AND position < :position"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What listens to which facts; facts that the catalogues do not know are passed over."""

    name: str
    sources: Mapping[str, Facts]
    react: Callable[[Told], Awaitable[None]]


class Pause(NamedTuple):
    """How long a ledger rests before it is tried again, and until when."""

    seconds: float
    until: float

    @classmethod
    def after(cls, before: "Pause | None") -> "Pause":
        """Twice as long as before, with a bound."""
        seconds = FIRST_PAUSE if before is None else min(before.seconds * 2, LONGEST_PAUSE)
        return cls(seconds, monotonic() + seconds)


@dataclass(slots=True)
class Reactor:
    """The worker of one reaction. `engine` is the application's.

    A fact that the reaction cannot take is parked with its reason, and later facts of the same stream wait behind
    it; other streams go on. What is parked is tried again when the process starts (by then the code may be mended)
    and when two people decided so. Unavailable is no such reason: the same fact comes again, after pauses that grow,
    and other ledgers go on meanwhile.
    """

    reaction: Reaction
    sources: Mapping[str, Source]
    engine: AsyncEngine
    metrics: Metrics
    clock: Clock = field(default_factory=SystemClock)
    positions: dict[str, int] = field(default_factory=dict)
    away: dict[str, Pause] = field(default_factory=dict)
    _told_at: dict[str, datetime] = field(default_factory=dict)
    _parked: dict[str, int] = field(default_factory=dict)

    @property
    def shelf(self) -> ParkedShelf:
        return ParkedShelf(self.engine)

    async def run(self) -> None:
        """React for ever; raises Unavailable when nothing can be done, for whoever restarts it."""
        stuck = self.metrics.gauge("reaction_stuck", "1 while the reaction can take nothing at all", ("reaction",))
        try:
            await self._open()
            await self.retry()
            while True:
                now = monotonic()
                if not await self.step(resting={one for one, pause in self.away.items() if pause.until > now}):
                    await self._wait()
                stuck.labels(self.reaction.name).set(0)
        except Exception:
            stuck.labels(self.reaction.name).set(1)
            raise

    async def step(self, *, resting: Collection[str] = ()) -> int:
        """React to a batch of each ledger that does not rest; the number of facts read."""
        if not self.positions:
            await self._open()
        read, failure = 0, None
        for ledger in self.reaction.sources:
            if ledger in resting:
                continue
            try:
                await self._go_on(ledger)
                records = await self.sources[ledger].read(self.positions[ledger], BATCH)
                if records:
                    faults.point("reaction.read")
                    await self._take(ledger, list(records))
                read += len(records)
                self.away.pop(ledger, None)
            except Unavailable as error:
                self.away[ledger] = Pause.after(self.away.get(ledger))
                failure = error
        if failure is not None and len(self.away) == len(self.reaction.sources):
            raise failure
        self._measure()
        return read

    async def retry(self) -> None:
        """Try what is parked once more, each stream in order up to the first fact that fails again."""
        await self.shelf.release_all(self.reaction.name)
        for ledger in self.reaction.sources:
            self._parked[ledger] = 1
            await self._go_on(ledger)

    async def _go_on(self, ledger: str) -> None:
        """Go through the streams whose first parked fact no longer stands in the way."""
        if not self._parked.get(ledger):
            return
        standing: set[str] = set()
        for row in await self.shelf.of(self.reaction.name, ledger):
            if row.state == FAILED:
                standing.add(row.stream)
            if row.stream in standing:
                continue
            try:
                (record,) = await self.sources[ledger].read(row.position - 1, 1, sure=True)
                error = await self._react(record)
            except (Unavailable, ValueError):
                # What it needs, or the fact itself, cannot be had now: it stays as it is, and the others go on.
                standing.add(row.stream)
                continue
            if error is not None:
                standing.add(row.stream)
                await self.shelf.failed_again(self.reaction.name, ledger, row.position, error)
            else:
                faults.point("reaction.released")
                await self.shelf.unpark(self.reaction.name, ledger, row.position)
        await self._count(ledger)

    async def _take(self, ledger: str, records: list[Record]) -> None:
        blocked = await self._count(ledger)
        facts = self.reaction.sources[ledger]
        for record in records:
            if record.position != self.positions[ledger] + 1:
                raise LedgerHole(f"{ledger}/{self.positions[ledger] + 1} is missing", ledger=ledger)
            known = facts.knows(record.type)
            if known and record.stream in blocked:
                await self.shelf.park(self.reaction.name, record)
            elif known and (error := await self._react(record)) is not None:
                await self.shelf.park(self.reaction.name, record, error)
                blocked.add(record.stream)
                self._parked[ledger] = 1
            if known:
                faults.point("reaction.reacted")
            if known or record is records[-1]:
                await self._execute(_MOVE, ledger=ledger, position=record.position)
                self.sources[ledger].taken(self.reaction.name, record.position)
                faults.point("reaction.moved")
            self.positions[ledger] = record.position
            self._told_at[ledger] = record.recorded_at

    async def _react(self, record: Record) -> str | None:
        """None once the fact is taken, else why it cannot be; Unavailable passes."""
        try:
            if (told := tell(record, self.reaction.sources[record.ledger])) is not None:
                await self.reaction.react(told)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 poison is parked with its reason and stops only its stream
            about = {"reaction": self.reaction.name, "ledger": record.ledger, "position": record.position}
            _log.exception("a fact is parked", extra=about)
            return _reason(error)
        return None

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

    async def _count(self, ledger: str) -> set[str]:
        """The streams that have something parked."""
        rows = await self.shelf.of(self.reaction.name, ledger)
        self._parked[ledger] = len(rows)
        self._gauge("parked", "Facts that are parked, or wait behind one of their stream", ledger).set(len(rows))
        return {row.stream for row in rows}

    async def _execute(self, statement: TextClause, **values: object) -> None:
        async with away_is_unavailable(), self.engine.begin() as connection:
            await connection.execute(statement, {"reaction": self.reaction.name, **values})

    def _gauge(self, name: str, help: str, ledger: str) -> Any:
        found = self.metrics.gauge(f"reaction_{name}", help, ("reaction", "ledger"))
        return found.labels(self.reaction.name, ledger)

    def _measure(self) -> None:
        now = self.clock.now()
        for ledger, position in self.positions.items():
            behind = max(self.sources[ledger].known - position, 0)
            late = (now - self._told_at.get(ledger, now)).total_seconds() if behind else 0
            self._gauge("lag_events", "Facts heard of that the reaction has not seen", ledger).set(behind)
            self._gauge("lag_seconds", "Age of the last fact seen while there are more", ledger).set(late)

    async def _wait(self) -> None:
        """Until there is news, a pause is over, or somebody may have released what is parked."""
        waits = [
            asyncio.create_task(self.sources[ledger].wait(self.positions[ledger], PATIENCE))
            for ledger in self.reaction.sources
            if ledger not in self.away
        ]
        if self.away:
            rest = min(pause.until for pause in self.away.values()) - monotonic()
            waits.append(asyncio.create_task(asyncio.sleep(max(rest, 0))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def _reason(error: Exception) -> str:
    """What people may read of an error: our own words, else the kinds alone, since messages may hold data."""
    if isinstance(error, LetopisError):
        return f"{error.code}: {error.detail}"[:LONGEST]
    kinds, frames = observability.told(error)
    return f"{kinds} at {frames[-1] if frames else 'an unknown place'}"[:LONGEST]
