"""Retention: a full, sealed partition goes to the object store and leaves the ledger's table; its one hash stays.

The facts are read back from the archive and hashed again before anything is detached. What stays behind is a table of
its own that nothing reads any more; dropping it, which gives the disk back, is left to a person.
"""

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec
import psycopg

from letopis.common.database import open_engine
from letopis.common.errors import Invalid, LedgerHole, NotFound, ObjectDamaged, Refused
from letopis.common.eventstore.archive import PIECE, Piece, pack, unpack
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.leaf import leaf_hash
from letopis.common.objects import ObjectStore


class PartitionNotFull(Refused):
    """Facts are still being written to it."""

    code = "partition.not_full"
    title = "The partition is not full; only a full one can be retired"


class CheckpointTooSmall(Refused):
    """Nobody has sealed all of it."""

    code = "partition.not_sealed"
    title = "The checkpoint does not cover the partition; take a newer one from audit"


class CheckpointDiffers(Refused):
    """What is in the database is not what was sealed."""

    code = "partition.differs"
    title = "These facts do not have the checkpoint's root; find out with `letopis verify` what was changed"


@dataclass(slots=True)
class Peaks:
    """The complete subtrees of a tree that grows (RFC 6962, section 2.1), largest first, with their sizes."""

    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, node: bytes, size: int = 1) -> None:
        """Append a leaf hash, or the hash of a whole subtree of `size` leaves."""
        while self.peaks and self.peaks[-1][0] == size:
            node = _node(self.peaks.pop()[1], node)
            size *= 2
        self.peaks.append((size, node))

    def root(self) -> bytes:
        """The tree head."""
        head = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            head = _node(peak, head)
        return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """What was done: which positions, the manifest's hash, and the table that may now be dropped."""

    first: int
    last: int
    manifest: str
    table: str


async def retire(owner_url: str, objects_url: str, ledger: str, number: int, checkpoint: str) -> Retired:
    """Archive and detach a partition, as the owner of the database. Repeated after a crash it goes on where it was.

    `checkpoint` is the text of a checkpoint as audit signs them, whose signature `letopis verify` checks; here it MUST
    cover the partition and have the root of this ledger's own facts.
    """
    size, root = _told(checkpoint)
    engine = open_engine(owner_url, autocommit=True)
    try:
        async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as owner:
            part = await _part(owner, ledger, number)
            if size < part.last:
                raise CheckpointTooSmall(f"it covers {size:,} facts, the partition ends at {part.last:,}")
            if part.manifest is None:
                store, objects = PostgresEventStore(engine, archive=objects_url), ObjectStore(objects_url)
                subtree, manifest = await _export(store, objects, ledger, part)
                _read_back(objects, manifest, subtree)
                if await _root(owner, store, ledger, part, subtree, size) != root:
                    raise CheckpointDiffers
                await owner.execute(
                    "INSERT INTO es.archive (ledger, number, first_pos, last_pos, manifest, subtree, checkpoint)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (ledger, number, part.first, part.last, manifest, subtree, checkpoint),
                )
                part.manifest = manifest
            if part.attached:
                # Without CONCURRENTLY everybody who appends would wait for everybody who reads.
                way = "FINALIZE" if part.pending else "CONCURRENTLY"
                await owner.execute(f"ALTER TABLE es.{part.whole} DETACH PARTITION es.{part.table} {way}".encode())
            return Retired(first=part.first, last=part.last, manifest=part.manifest, table=f"es.{part.table}")
    finally:
        await engine.dispose()


@dataclass(slots=True, kw_only=True)
class _Part:
    whole: str
    table: str
    first: int
    last: int
    attached: bool
    pending: bool
    manifest: str | None


async def _part(owner: psycopg.AsyncConnection, ledger: str, number: int) -> _Part:
    found = await owner.execute(
        "SELECT l.head, es.partition_size(), a.manifest FROM es.ledger l"
        " LEFT JOIN es.archive a ON a.ledger = l.ledger AND a.number = %s WHERE l.ledger = %s",
        (number, ledger),
    )
    row = await found.fetchone()
    if row is None or number < 0:
        raise NotFound(f"there is no partition {number} of a ledger {ledger} here")
    head, size, manifest = row
    whole = "event_" + ledger.replace("-", "_")
    first, last = number * size + 1, (number + 1) * size
    if head < last:
        raise PartitionNotFull(f"it holds {first:,} to {last:,}, the ledger is at {head:,}")
    found = await owner.execute(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(%s)", (f"es.{whole}_p{number}",)
    )
    inherits = await found.fetchone()
    return _Part(
        whole=whole,
        table=f"{whole}_p{number}",
        first=first,
        last=last,
        attached=inherits is not None,
        pending=bool(inherits and inherits[0]),
        manifest=manifest,
    )


async def _export(store: PostgresEventStore, objects: ObjectStore, ledger: str, part: _Part) -> tuple[bytes, str]:
    """The hash of the partition's subtree, and of the manifest that names the objects its facts are in."""
    peaks, pieces = Peaks(), []
    for first in range(part.first, part.last + 1, PIECE):
        last = min(first + PIECE - 1, part.last)
        records = await store.read(ledger, first - 1, last - first + 1)
        if len(records) != last - first + 1:
            raise LedgerHole(f"{ledger}/{first + len(records)} is missing", ledger=ledger)
        for record in records:
            peaks.add(leaf_hash(record))
        pieces.append(Piece(first=first, last=last, sha256=objects.put(pack(records))))
    manifest = objects.put(b"".join(msgspec.json.encode(piece) + b"\n" for piece in pieces))
    return peaks.root(), manifest


def _read_back(objects: ObjectStore, manifest: str, subtree: bytes) -> None:
    peaks = Peaks()
    for line in objects.get(manifest).splitlines():
        for record in unpack(objects.get(msgspec.json.decode(line, type=Piece).sha256)):
            peaks.add(leaf_hash(record))
    if peaks.root() != subtree:
        raise ObjectDamaged("the archive does not read back as what was written to it")


async def _root(
    owner: psycopg.AsyncConnection, store: PostgresEventStore, ledger: str, part: _Part, subtree: bytes, size: int
) -> bytes:
    """The tree head at `size`: archived partitions by their one hash, all else from the facts."""
    peaks, rows = (
        Peaks(),
        await owner.execute("SELECT first_pos, last_pos, subtree FROM es.archive WHERE ledger = %s", (ledger,)),
    )
    known = {first: (last, bytes(node)) for first, last, node in await rows.fetchall()}
    known[part.first] = (part.last, subtree)
    at = 0
    while at < size:
        last, node = known.get(at + 1, (0, b""))
        if at < last <= size:
            peaks.add(node, last - at)
            at = last
            continue
        border = min([first - 1 for first in known if first > at + 1], default=size)
        records = await store.read(ledger, at, min(PIECE, border - at, size - at))
        if not records:
            raise CheckpointDiffers(f"it covers {size:,} facts, the ledger has {at:,}")
        for record in records:
            peaks.add(leaf_hash(record))
        at += len(records)
    return peaks.root()


def _told(checkpoint: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint (C2SP tlog-checkpoint: origin, size, root, a line each)."""
    lines = checkpoint.split("\n")
    try:
        return int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error):
        raise Invalid("this is no checkpoint; take one from audit's /log/<ledger>/checkpoint") from None


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
