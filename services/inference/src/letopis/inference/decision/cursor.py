"""Reading a journal record by record, each checked, up to where it is synced."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from letopis.common.errors import LetopisError
from letopis.inference.decision.frame import SEGMENT_HEADER, Entry, Header, decode_header, entry_at
from letopis.inference.decision.journal import Reach, segment_path, segments

PIECE = 2 << 20


class JournalDamaged(LetopisError):
    """A bad record stands before a good one of a later batch: no crash does that."""

    code = "journal.damaged"
    title = "A decision journal is damaged"


@dataclass(slots=True)
class Cursor:
    """A place in a journal. Segments before `after` are passed over unread."""

    directory: Path
    source_id: UUID
    after: int = 0
    _segment: int = 0
    _offset: int = 0
    _seq: int = 0
    _chain: bytes = b""
    _starts: list[int] = field(default_factory=list)

    @property
    def segment(self) -> int:
        """The segment of the last record taken."""
        return self._segment

    def take(self, reach: Reach, limit: int) -> list[Entry]:
        """Up to `limit` further records, none behind the reach; JournalDamaged where one is bad."""
        taken: list[Entry] = []
        while len(taken) < limit and self.after < reach.seq:
            try:
                found = self._next(reach)
            except JournalDamaged:
                # What is good before the bad record is handed out first; the next call raises.
                if taken:
                    return taken
                raise
            for entry in found:
                if entry.seq > self.after:
                    taken.append(entry)
                    self.after = entry.seq
                self._seq, self._chain, self._offset = entry.seq + 1, entry.chain, entry.end
                if len(taken) == limit:
                    break
        return taken

    def _next(self, reach: Reach) -> list[Entry]:
        if not self._segment or self._seq > self._last(reach):
            self._enter(reach)
        return self._read(reach)

    def _enter(self, reach: Reach) -> None:
        """Go to the segment that holds the record after `after`."""
        self._starts = [start for start in segments(self.directory) if start <= reach.seq]
        within = [start for start in self._starts if start <= self.after + 1]
        if not within:
            raise JournalDamaged(f"{self.directory}: record {self.after + 1} is in no segment", seq=self.after + 1)
        start = within[-1]
        header = self._header(start)
        if self._segment and self._seq == start and header.chain != self._chain:
            raise JournalDamaged(f"{self.directory}: segment {start} does not continue the chain", seq=start)
        self._segment, self._seq, self._chain, self._offset = start, start, header.chain, SEGMENT_HEADER

    def _read(self, reach: Reach) -> list[Entry]:
        last = self._last(reach)
        path = segment_path(self.directory, self._segment)
        for size in (PIECE, path.stat().st_size):
            found = self._parse(_piece(path, self._offset, size), last)
            if found:
                return found
        raise JournalDamaged(f"{self.directory}: record {self._seq} is bad", seq=self._seq)

    def _parse(self, buffer: bytes, last: int) -> list[Entry]:
        found: list[Entry] = []
        seq, chain, offset = self._seq, self._chain, 0
        while seq <= last and (entry := entry_at(buffer, offset, seq, chain, self._offset)) is not None:
            found.append(entry)
            seq, chain, offset = seq + 1, entry.chain, entry.end - self._offset
        return found

    def _last(self, reach: Reach) -> int:
        """The last record of the present segment."""
        later = [start for start in self._starts if start > self._segment]
        if not later and reach.segment > self._segment:
            self._starts = [start for start in segments(self.directory) if start <= reach.seq]
            later = [start for start in self._starts if start > self._segment]
        return later[0] - 1 if later else reach.seq

    def _header(self, start: int) -> Header:
        header = decode_header(_piece(segment_path(self.directory, start), 0, SEGMENT_HEADER))
        if header is None or header.source_id != self.source_id or header.first_seq != start:
            raise JournalDamaged(f"{self.directory}: segment {start} has no valid header", seq=start)
        return header


def _piece(path: Path, offset: int, size: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, size, offset)
    finally:
        os.close(handle)
