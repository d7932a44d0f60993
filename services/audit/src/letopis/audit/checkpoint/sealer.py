"""The sealer: what was copied becomes tiles, a locked head and a signed checkpoint, in that order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from letopis.audit.checkpoint.lock import Locked, LockStore
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.growth import grow
from letopis.audit.log.merkle import (
    BadProof,
    check_consistency,
    consistency_proof,
    frontier_at,
    head_at,
)
from letopis.audit.log.note import BadNote, Checkpoint, Signer, open_note, sign_note
from letopis.audit.log.sealed import signer_of
from letopis.audit.log.shelf import Shelf
from letopis.audit.log.tile import BadTile, nodes_from
from letopis.common import faults
from letopis.common.envelope import Record
from letopis.common.errors import EventStoreError, NotFound, Unavailable
from letopis.common.leaf import leaf_bytes, leaf_hash

BATCH = 8192


class SealingStopped(EventStoreError):
    """Sealing a ledger would make the log lie; it stops until a person has looked."""

    code = "checkpoint.stopped"
    title = "This ledger cannot be sealed"


class LedgerRestored(SealingStopped):
    """The copy is older than, or another than, what was sealed: a backup was restored."""

    code = "checkpoint.ledger_restored"
    title = "The copy of the ledger is not the one that was sealed; a backup was restored"


class LockLost(SealingStopped):
    """The published checkpoint is not the locked head or an earlier one: the lock store was lost or restored."""

    code = "checkpoint.lock_lost"
    title = "The lock store is older than what was published"


class TilesDamaged(SealingStopped):
    """The tiles on disk do not lead to the head that was sealed."""

    code = "checkpoint.tiles_damaged"
    title = "The tiles do not lead to the sealed head"


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals one ledger; two sealers of one ledger are kept apart by the lock store."""

    ledger: str
    copies: CopyStore
    shelf: Shelf
    locks: LockStore
    signer: Signer

    async def seal(self) -> Checkpoint | None:
        """Seal what was copied since the last head, one batch; None if nothing was.

        The order MUST be: tiles durable, head locked, note signed and published. After a crash between two of
        these the next run repeats the same bytes. SealingStopped if the copy or the tiles are not what was sealed;
        Unavailable while there is no object store.
        """
        locked = await asyncio.to_thread(self._resume)
        faults.point("seal.resumed")
        if (copied := await self.copies.head(self.ledger)) < locked.size:
            raise LedgerRestored(
                f"{self.ledger} was sealed up to {locked.size}, the copy is shorter: {copied + 1} to {locked.size} are "
                "missing",
                position=copied + 1,
            )
        # The last sealed fact is read again too: it must still be the one in the tree.
        records = await self.copies.read(self.ledger, max(0, locked.size - 1), BATCH)
        faults.point("seal.read")
        if locked.size:
            last, records = records[0], records[1:]
            await asyncio.to_thread(self._same, locked, last)
        if not records:
            return None
        return await asyncio.to_thread(self._extend, locked, records)

    @property
    def log(self) -> str:
        """The log that the ledger is sealed in now."""
        return self.locks.log(self.ledger)

    def _signer(self) -> Signer:
        return signer_of(self.signer, self.ledger, self.log)

    def _resume(self) -> Locked:
        """The locked head; published again if a crash came between locking and publishing."""
        locked = self.locks.head(self.log)
        if locked.size and not self.shelf.root.is_dir():
            # A share that is not mounted has no tiles, which is no damage; nothing MUST be written in its place.
            raise Unavailable("the object store is not there")
        note = self.shelf.checkpoint(self.log)
        if note is not None:
            try:
                published = Checkpoint.parse(open_note(note.decode(), [self._signer().verifier()]))
            except (BadNote, UnicodeDecodeError) as error:
                raise LockLost(f"{self.ledger}: the published checkpoint is not ours: {error}") from error
            known = self.locks.sealed(self.log, published.size) if published.size else Locked()
            if known != Locked(published.size, published.root):
                raise LockLost(f"{self.ledger} was published at {published.size}, the lock store knows no such head")
        self._publish(locked)
        return locked

    def _same(self, locked: Locked, last: Record) -> None:
        tiles = partial(self.shelf.tile, self.log)
        nodes = nodes_from(tiles, locked.size)
        try:
            sound = frontier_at(locked.size, nodes).root() == locked.root
            kept = nodes(0, locked.size - 1)
        except (BadTile, NotFound) as error:
            raise TilesDamaged(f"{self.ledger}: {error}") from error
        if not sound:
            raise TilesDamaged(f"{self.ledger}: the tiles do not lead to the head of {locked.size}")
        if kept != leaf_hash(last):
            raise LedgerRestored(f"{self.ledger}/{locked.size} is not the fact that was sealed", position=locked.size)

    def _extend(self, locked: Locked, records: Sequence[Record]) -> Checkpoint:
        tiles, bundles = partial(self.shelf.tile, self.log), partial(self.shelf.entries, self.log)
        grown = grow(locked.size, [leaf_bytes(record) for record in records], tiles, bundles)
        self.shelf.write(self.log, grown.files)
        faults.point("seal.tiled")
        after = Locked(grown.frontier.size, grown.frontier.root())
        # Read back from disk: what a stranger will compute from the tiles is what is about to be signed.
        nodes = nodes_from(tiles, after.size)
        try:
            if head_at(after.size, nodes) != after.root:
                raise TilesDamaged(f"{self.ledger}: the tiles written do not lead to the new head")
            proof = consistency_proof(locked.size, after.size, nodes)
            check_consistency(locked.size, after.size, locked.root, after.root, proof)
        except (BadProof, BadTile) as error:
            raise TilesDamaged(f"{self.ledger}: {error}") from error
        self.locks.advance(self.log, locked, after)
        faults.point("seal.locked")
        return self._publish(after)

    def _publish(self, locked: Locked) -> Checkpoint:
        signer = self._signer()
        head = Checkpoint(signer.name, locked.size, locked.root)
        note = sign_note(head.text(), signer).encode()
        if self.shelf.checkpoint(self.log) != note:
            self.shelf.publish(self.log, note)
            faults.point("seal.published")
        return head
