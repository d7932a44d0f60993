"""What earlier workers left in their journals: torn ends cut, damage kept and named."""

import fcntl
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from letopis.inference.decision.frame import SEGMENT_HEADER, Ending, Tail, decode_header, first_chain, tail
from letopis.inference.decision.journal import LOCK, Previous, Reach, segment_path, segments, sync_folder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A journal without a living worker: where it ends, and whether that end is damage."""

    directory: Path
    source_id: UUID
    reach: Reach
    chain: bytes
    damaged: bool = False

    def previous(self) -> Previous:
        return Previous(source_id=self.source_id, last_seq=self.reach.seq, chain=self.chain)


def recover(root: Path) -> list[Left]:
    """Journals of workers that ended, oldest first (UUIDv7 sorts by time), torn ends cut.

    A journal whose lock is held has a living worker and is left alone.
    """
    found = []
    for directory in sorted(root.glob("*-*-*-*-*")):
        if directory.is_dir() and _unheld(directory):
            left = _settle(directory)
            if left.damaged:
                _log.critical("journal %s is damaged after record %d: kept, not shipped", directory, left.reach.seq)
            found.append(left)
    return found


def forget(left: Left) -> None:
    """Remove the folder of a journal all of whose segments are gone."""
    (left.directory / LOCK).unlink(missing_ok=True)
    left.directory.rmdir()
    sync_folder(left.directory.parent)


def _settle(directory: Path) -> Left:
    source_id = UUID(directory.name)
    starts = segments(directory)
    while starts:
        path = segment_path(directory, starts[-1])
        buffer = path.read_bytes()
        header = decode_header(buffer)
        if header is not None and (header.source_id, header.first_seq) == (source_id, starts[-1]):
            end = tail(buffer, header)
            if end.ending is Ending.TORN:
                _cut(path, end)
            return Left(
                directory=directory,
                source_id=source_id,
                reach=Reach(seq=end.next_seq - 1, segment=starts[-1], offset=end.offset),
                chain=end.chain,
                damaged=end.ending is Ending.DAMAGED,
            )
        if any(buffer[SEGMENT_HEADER:]):
            before = Reach(seq=starts[-1] - 1, segment=starts[-1], offset=0)
            return Left(directory=directory, source_id=source_id, reach=before, chain=b"", damaged=True)
        # A header is synced before its first record is written, so nothing here was ever answered for.
        path.unlink()
        sync_folder(directory)
        starts.pop()
    return Left(directory=directory, source_id=source_id, reach=Reach(), chain=first_chain(source_id))


def _cut(path: Path, end: Tail) -> None:
    _log.warning("%s: cut a torn write after record %d", path, end.next_seq - 1)
    handle = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(handle, end.offset)
        os.fsync(handle)
    finally:
        os.close(handle)


def _unheld(directory: Path) -> bool:
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
