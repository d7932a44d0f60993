"""The journal a worker writes before it answers: one write and one sync for all decisions of a loop turn.

A record MUST be in the file, and in profile `power` synced, before the future of its append is done; whoever
answers waits for that future. A write or sync that fails ends the worker: what is durable is then unknown, so
nothing of the turn is answered.
"""

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from letopis.common import faults
from letopis.common.envelope import Meta, NewFact, encode_meta
from letopis.common.errors import Unavailable
from letopis.common.handling import new_fact
from letopis.common.ids import uuid7
from letopis.inference.decision.events import FACTS, JournalOpened
from letopis.inference.decision.frame import (
    SEGMENT_HEADER,
    Header,
    encode_batch,
    encode_header,
    first_chain,
)

Durability = Literal["process", "power"]
SEGMENT_BYTES = 16 << 20
LOCK = "lock"
_log = logging.getLogger(__name__)


class JournalFull(Unavailable):
    """The disk of the journal is nearly full; scoring stops rather than go unrecorded."""

    code = "journal.full"
    title = "The disk of the decision journal is nearly full; nothing can be recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes of the journal; `disk_share` is the used share of the disk at which scoring stops."""

    segment_bytes: int = SEGMENT_BYTES
    disk_share: float = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """Where the journal before this one ended, so that a lost tail shows."""

    source_id: UUID
    last_seq: int
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the journal is synced: what may be shipped."""

    seq: int = 0
    segment: int = 0
    offset: int = 0


@dataclass(slots=True)
class _Waiting:
    facts: Sequence[NewFact]
    done: "asyncio.Future[int]"


def end_worker(error: OSError) -> None:
    """The end of this process, at once and without answers."""
    _log.critical("the decision journal cannot be written (%s); the worker ends", error)
    os._exit(74)


class Journal:
    """The open journal of one worker. All methods belong to the event loop that opened it."""

    def __init__(
        self,
        root: Path,
        *,
        durability: Durability = "power",
        limits: Limits | None = None,
        failed: Callable[[OSError], None] = end_worker,
    ) -> None:
        self.source_id = uuid7()
        self.directory = root / str(self.source_id)
        self.durability = durability
        self.limits = limits or Limits()
        self.written = Reach()
        self.synced = Reach()
        self.grown = asyncio.Event()
        self._failed = failed
        self._waiting: list[_Waiting] = []
        self._next_seq = 1
        self._batch = 0
        self._chain = first_chain(self.source_id)
        self._segment = 0
        self._offset = 0
        self._size = 0
        self._file = -1
        self._looked = 0.0
        self._full = False
        self.directory.mkdir(parents=True)
        self._lock = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    async def open(self, previous: Previous | None, meta: Meta) -> None:
        """Write the first record, which names the journal before this one."""
        opened = JournalOpened(
            source_id=str(self.source_id),
            durability=self.durability,
            previous_source_id=str(previous.source_id) if previous else "",
            previous_seq=previous.last_seq if previous else 0,
            previous_chain=previous.chain.hex() if previous else "",
        )
        await self.append([new_fact(FACTS, opened, encode_meta(meta))])

    def append(self, facts: Sequence[NewFact]) -> "asyncio.Future[int]":
        """Record facts as one batch or part of one; the future gives the sequence of the first when durable.

        Raises JournalFull; nothing is recorded then.
        """
        if self.full():
            raise JournalFull
        loop = asyncio.get_running_loop()
        one = _Waiting(facts, loop.create_future())
        self._waiting.append(one)
        if len(self._waiting) == 1:
            loop.call_soon(self._turn)
        return one.done

    def full(self) -> bool:
        """Whether the disk has passed its share; looked at once a second."""
        now = time.monotonic()
        if now - self._looked >= 1.0 or not self._looked:
            disk = os.statvfs(self.directory)
            self._full = 1.0 - disk.f_bavail / max(disk.f_blocks, 1) >= self.limits.disk_share
            self._looked = now
        return self._full

    def sync(self) -> None:
        """Make everything written durable; in profile `process` this comes before shipping."""
        if self.synced == self.written:
            return
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self._failed(error)
            return
        self.synced = self.written

    def close(self) -> None:
        """Write what waits and let go of the files; closing again does nothing."""
        if self._waiting:
            self._turn()
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        facts = [fact for one in waiting for fact in one.facts]
        try:
            self._write(facts)
        except OSError as error:
            self._failed(error)
            return
        seq = self._next_seq
        self._next_seq += len(facts)
        self.written = Reach(seq=self._next_seq - 1, segment=self._segment, offset=self._offset)
        if self.durability == "power":
            self.synced = self.written
        for one in waiting:
            if not one.done.cancelled():
                one.done.set_result(seq)
            seq += len(one.facts)
        self.grown.set()

    def _write(self, facts: Sequence[NewFact]) -> None:
        batch, chain = encode_batch(facts, self._batch + 1, self._chain)
        if self._file < 0 or self._offset + len(batch) > self._size:
            self._roll(len(batch))
        _write_all(self._file, batch, self._offset)
        faults.point("journal.written")
        if self.durability == "power":
            os.fdatasync(self._file)
        faults.point("journal.synced")
        self._offset += len(batch)
        self._batch += 1
        self._chain = chain

    def _roll(self, need: int) -> None:
        if self._file >= 0:
            os.fdatasync(self._file)
            os.close(self._file)
        self._segment = self._next_seq
        self._size = max(self.limits.segment_bytes, SEGMENT_HEADER + need)
        path = segment_path(self.directory, self._segment)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.posix_fallocate(self._file, 0, self._size)
        faults.point("journal.allocated")
        header = Header(source_id=self.source_id, first_seq=self._segment, batch=self._batch, chain=self._chain)
        _write_all(self._file, encode_header(header), 0)
        os.fsync(self._file)
        for folder in (self.directory, self.directory.parent):
            sync_folder(folder)
        faults.point("journal.rolled")
        self._offset = SEGMENT_HEADER


def segment_path(directory: Path, first_seq: int) -> Path:
    return directory / f"{first_seq:016d}.seg"


def segments(directory: Path) -> list[int]:
    """First sequences of a journal's segments, in order."""
    return sorted(int(path.stem) for path in directory.glob("*.seg"))


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
