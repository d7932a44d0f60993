"""After a restore: what of a log the copy still has, the same log mended, or another log that succeeds it.

A log that was closed is never extended, so a restored ledger cannot fork it. Its successor has an origin of its own and
begins with the facts that are left; a note signed in both names binds the two.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from letopis.audit.checkpoint.lock import Locked, LockStore, Succession
from letopis.audit.checkpoint.sealer import BATCH, Sealer, TilesDamaged
from letopis.audit.log.growth import grow
from letopis.audit.log.merkle import EMPTY_ROOT, BadProof, Frontier, frontier_at, leaf_hash
from letopis.audit.log.note import BadNote, Checkpoint, Signer, open_note, sign_note
from letopis.audit.log.sealed import signer_of
from letopis.audit.log.tile import BadTile, nodes_from
from letopis.common.envelope import Record
from letopis.common.errors import NotFound
from letopis.common.leaf import leaf_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The last head known of a log, and the largest of its heads that the copy still leads to.

    `lock_lost` says that heads may have been signed that nobody here knows.
    """

    log: str
    sealed: Locked
    kept: Locked
    lock_lost: bool

    @property
    def lost(self) -> bool:
        """Whether the log cannot go on: facts under it are gone, or its last head may be."""
        return self.lock_lost or self.kept != self.sealed


async def assess(sealer: Sealer) -> Assessment:
    """Hash the whole copy again and hold it against every head that was ever locked."""
    log, heads, published = await asyncio.to_thread(_known, sealer)
    lock_lost = published not in {Locked(), *heads}
    if lock_lost:
        heads = sorted({*heads, published}, key=lambda one: one.size)
    kept, frontier, after = Locked(), Frontier(), 0
    waiting = iter(heads)
    head = next(waiting, None)
    while head is not None:
        records = await sealer.copies.read(sealer.ledger, after, min(BATCH, head.size - after))
        frontier = await asyncio.to_thread(_extended, frontier, records)
        after += len(records)
        if after < head.size and records:
            continue
        if Locked(after, frontier.root()) != head:
            break
        kept, head = head, next(waiting, None)
    sealed = heads[-1] if heads else Locked()
    return Assessment(log=log, sealed=sealed, kept=kept, lock_lost=lock_lost)


async def mend(sealer: Sealer) -> None:
    """Write the tiles of the locked head again, from the copy, if those on disk do not lead to it.

    TilesDamaged or TileConflict if the copy does not lead there either.
    """
    log, locked = sealer.log, await asyncio.to_thread(sealer.locks.head, sealer.log)
    if await asyncio.to_thread(_leads, sealer, log, locked) or await sealer.copies.head(sealer.ledger) < locked.size:
        return
    tiles, bundles = partial(sealer.shelf.tile, log), partial(sealer.shelf.entries, log)
    frontier = Frontier()
    while frontier.size < locked.size:
        count = min(BATCH, locked.size - frontier.size)
        records = await sealer.copies.read(sealer.ledger, frontier.size, count)
        leaves = [leaf_bytes(record) for record in records]
        grown = await asyncio.to_thread(grow, frontier.size, leaves, tiles, bundles)
        await asyncio.to_thread(sealer.shelf.write, log, grown.files)
        frontier = grown.frontier
    if frontier.root() != locked.root:
        raise TilesDamaged(f"{sealer.ledger}: the copy does not lead to the head of {locked.size}")


def succession_notes(locks: LockStore, first: Signer, ledger: str) -> list[str]:
    """Every succession of a ledger as a note, signed in the name of the closed log and of the one that succeeds it."""
    return [
        sign_note(_text(one, first), signer_of(first, ledger, one.closed), signer_of(first, ledger, one.log))
        for one in locks.successions(ledger)
    ]


def _text(one: Succession, first: Signer) -> str:
    heads = ((one.closed, one.sealed), (one.log, one.kept))
    lines = [
        f"{signer_of(first, one.ledger, log).name}\n{head.size}\n{base64.b64encode(head.root).decode()}"
        for log, head in heads
    ]
    return "\n".join(("letopis-succession-v1", *lines)) + "\n"


def _known(sealer: Sealer) -> tuple[str, list[Locked], Locked]:
    log = sealer.log
    note, published = sealer.shelf.checkpoint(log), Locked()
    if note is not None:
        trusted = signer_of(sealer.signer, sealer.ledger, log).verifier()
        try:
            told = Checkpoint.parse(open_note(note.decode(), [trusted]))
            published = Locked(told.size, told.root if told.size else EMPTY_ROOT)
        except (BadNote, UnicodeDecodeError):
            # A note that is not ours tells nothing of our heads.
            published = Locked()
    return log, sealer.locks.heads(log), published


def _extended(frontier: Frontier, records: Sequence[Record]) -> Frontier:
    return frontier.extended(leaf_hash(leaf_bytes(record)) for record in records)


def _leads(sealer: Sealer, log: str, locked: Locked) -> bool:
    try:
        return frontier_at(locked.size, nodes_from(partial(sealer.shelf.tile, log), locked.size)).root() == locked.root
    except (BadTile, BadProof, NotFound):
        return False
