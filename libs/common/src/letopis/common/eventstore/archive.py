"""Facts whose partition has left the database: read from the object store, exactly as they were."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import msgspec
import zstandard
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable
from letopis.common.envelope import Record, record_line, records_of_lines
from letopis.common.errors import LedgerHole
from letopis.common.objects import ObjectStore

# Facts an object: whole tiles, and little enough that one fact is found in a fraction of a second.
PIECE = 4096
_KEPT = 8
# A partition that was retired meanwhile is missed by nobody: who appends to a stream names its version.
_BELIEVED = 60.0


class Piece(msgspec.Struct, frozen=True):
    """Where some facts lie; a partition's manifest names its pieces in order, a line each."""

    first: int
    last: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition in the archive."""

    first: int
    last: int
    manifest: str


def pack(records: Sequence[Record]) -> bytes:
    """Records as an object holds them: NDJSON in the shape in which they travel, zstd."""
    return zstandard.compress(b"".join(map(record_line, records)), 10)


def unpack(data: bytes) -> list[Record]:
    """The records of an object."""
    return records_of_lines(zstandard.ZstdDecompressor().decompressobj().decompress(data).splitlines())


class Archive:
    """The archived part of a service's ledgers. Objects are checked against their hashes at every read."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self._engine = engine
        self._url = url
        self._pieces: OrderedDict[str, list[Record]] = OrderedDict()
        self._none: dict[str, float] = {}

    async def holds_any(self, ledger: str) -> bool:
        """Whether anything of a ledger is archived; that nothing is, may be a minute old."""
        if monotonic() < self._none.get(ledger, 0):
            return False
        if await self.partitions(ledger, 1):
            return True
        self._none[ledger] = monotonic() + _BELIEVED
        return False

    async def partitions(self, ledger: str, position: int) -> list[Partition]:
        """The archived partitions from the one that holds a position, without a gap between them."""
        query = text(
            "SELECT first_pos, last_pos, manifest FROM es.archive"
            " WHERE ledger = :ledger AND last_pos >= :position ORDER BY first_pos"
        )
        async with away_is_unavailable(), self._engine.connect() as connection:
            rows = (await connection.execute(query, {"ledger": ledger, "position": position})).all()
        found: list[Partition] = []
        for first, last, manifest in rows:
            if first > (found[-1].last + 1 if found else position):
                break
            found.append(Partition(first, last, manifest))
        return found

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        """Facts after a position, contiguous from there; empty if the next one is in no archived partition."""
        records: list[Record] = []
        for partition in await self.partitions(ledger, after + 1):
            for piece in await self._manifest(partition):
                at = after + len(records)
                if piece.last > at and len(records) < limit:
                    records += (await self._piece(piece))[at + 1 - piece.first :]
        return records[:limit]

    async def stream(self, ledger: str, stream: str, last: int) -> list[Record]:
        """A stream's facts up to the one at a position, found by what each says of its predecessor."""
        records: list[Record] = []
        while last:
            held = await self.read(ledger, last - 1, 1)
            if not held or held[0].stream != stream:
                raise LedgerHole(f"{ledger}/{last} of {stream} is missing", ledger=ledger, position=last)
            records.append(held[0])
            last = held[0].prev
        return records[::-1]

    async def _manifest(self, partition: Partition) -> list[Piece]:
        data = await asyncio.to_thread(self._get, partition.manifest)
        return [msgspec.json.decode(line, type=Piece) for line in data.splitlines()]

    async def _piece(self, piece: Piece) -> list[Record]:
        if piece.sha256 not in self._pieces:
            self._pieces[piece.sha256] = await asyncio.to_thread(lambda: unpack(self._get(piece.sha256)))
            while len(self._pieces) > _KEPT:
                self._pieces.popitem(last=False)
        self._pieces.move_to_end(piece.sha256)
        return self._pieces[piece.sha256]

    def _get(self, sha: str) -> bytes:
        return ObjectStore(self._url).get(sha)
