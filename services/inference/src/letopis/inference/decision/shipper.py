"""Moves synced journal records to the decisions ledger, and lets segments go once they are proved to be there.

A segment is deleted only when all its records are in the ledger and a signed checkpoint of audit covers them.
Shipping again is harmless: the ledger skips what a source has delivered before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from letopis.common import faults
from letopis.common.envelope import Meta, encode_meta
from letopis.common.errors import SourceGap, Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.handling import new_fact
from letopis.inference.decision.cursor import Cursor, JournalDamaged
from letopis.inference.decision.events import FACTS, JournalDamageFound
from letopis.inference.decision.journal import Journal, Reach, segment_path, segments, sync_folder
from letopis.inference.decision.recovery import Left, forget

LEDGER = "decisions"
MOST = 1000
# Seconds: a batch gathers this long, so that shipping does not compete with answering.
LINGER = 0.1
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shipped:
    """Records of a journal up to `seq` stand at positions up to `position`."""

    directory: Path
    seq: int
    position: int


@dataclass(slots=True)
class Shipper:
    """The way from the journals of one worker's folder to the ledger; `settled` once earlier journals are there."""

    journal: Journal
    left: list[Left]
    store: EventStore
    checkpoint: Callable[[], Awaitable[int]]
    meta: Meta
    shipped: int = 0
    damaged: set[UUID] = field(default_factory=set)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _stands: dict[tuple[Path, int], _Shipped] = field(default_factory=dict)

    async def run(self) -> None:
        """Ship what earlier workers left, then what this one writes, for ever."""
        for left in self.left:
            await self._ship_left(left)
            faults.point("ship.left")
        self.settled.set()
        known = await self._patiently(lambda: self.store.source_position(LEDGER, self.journal.source_id))
        cursor = Cursor(self.journal.directory, self.journal.source_id, known)
        self.journal.grown.set()
        while True:
            await self.journal.grown.wait()
            await asyncio.sleep(LINGER)
            self.journal.grown.clear()
            self.journal.sync()
            await self._ship(cursor, self.journal.synced)
            self.shipped = cursor.after
            self._moved.set()

    async def caught_up(self) -> None:
        """Wait until all that earlier workers left, and all that this one has written by now, is in the ledger."""
        await self.settled.wait()
        target = self.journal.written.seq
        while self.shipped < target and self.journal.source_id not in self.damaged:
            self._moved.clear()
            await self._moved.wait()

    async def clean(self, every: float = 60.0) -> None:
        """Delete segments that are in the ledger and under a signed checkpoint, for ever."""
        while True:
            await asyncio.sleep(every)
            await self.let_go()

    async def let_go(self) -> int:
        """Delete what may go now; how many segments went."""
        size, gone = await self.checkpoint(), 0
        proved: dict[Path, int] = {}
        for key, one in list(self._stands.items()):
            if one.position <= size:
                proved[one.directory] = max(one.seq, proved.get(one.directory, 0))
                del self._stands[key]
        for directory, seq in proved.items():
            starts = segments(directory)
            living = directory == self.journal.directory
            for start, following in zip(starts, [*starts[1:], None], strict=True):
                last = following - 1 if following else seq
                if last <= seq and not (following is None and living):
                    segment_path(directory, start).unlink()
                    faults.point("ship.unlinked")
                    gone += 1
            sync_folder(directory)
        for left in self.left:
            if left.directory.exists() and not left.damaged and not segments(left.directory):
                forget(left)
        return gone

    async def _ship_left(self, left: Left) -> None:
        if left.damaged:
            await self._alarm(left.source_id, left.reach.seq + 1, "found at start")
        if not left.reach.seq:
            if not left.damaged:
                self._stands[left.directory, 0] = _Shipped(left.directory, 0, 0)
            return
        known = await self._patiently(lambda: self.store.source_position(LEDGER, left.source_id))
        if known > left.reach.seq:
            await self._alarm(left.source_id, left.reach.seq + 1, f"the ledger has records up to {known}")
            return
        await self._ship(Cursor(left.directory, left.source_id, known), left.reach)
        head = await self._patiently(lambda: self.store.head(LEDGER))
        if left.source_id not in self.damaged:
            self._stands[left.directory, 0] = _Shipped(left.directory, left.reach.seq, head)

    async def _ship(self, cursor: Cursor, reach: Reach) -> None:
        while cursor.after < reach.seq and cursor.source_id not in self.damaged:
            first = cursor.after + 1
            try:
                facts = [entry.fact for entry in cursor.take(reach, MOST)]
                faults.point("ship.read")
                ship = partial(self.store.append_batch, LEDGER, cursor.source_id, first, facts)
                done = await self._patiently(ship)
                faults.point("ship.appended")
            except JournalDamaged as damage:
                await self._alarm(cursor.source_id, cursor.after + 1, damage.detail)
                return
            except SourceGap as gap:
                await self._alarm(cursor.source_id, first, gap.detail)
                return
            # One stand a segment is enough: only whole segments are deleted.
            self._stands[cursor.directory, cursor.segment] = _Shipped(cursor.directory, cursor.after, done.last)

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """What a database that is away does to us: we wait, the journal holds everything meanwhile."""
        pause = 0.1
        while True:
            try:
                return await act()
            except Unavailable as away:
                _log.warning("decisions wait in the journal: %s", away.detail)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _alarm(self, source_id: UUID, seq: int, detail: str) -> None:
        """Name the damage in the living journal; what follows it stays where it is."""
        self.damaged.add(source_id)
        _log.critical("journal %s is damaged at record %d: %s", source_id, seq, detail)
        found = JournalDamageFound(source_id=str(source_id), seq=seq, detail=detail)
        if source_id != self.journal.source_id:
            fact = new_fact(FACTS, found, encode_meta(self.meta))
            await self._patiently(lambda: self.journal.append([fact]))
