"""What is sealed of each ledger, as readers and proofs need it: the published head and the tiles below it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from letopis.audit.log.merkle import BadProof, Nodes, check_inclusion, consistency_proof, head_at, inclusion_proof
from letopis.audit.log.note import Checkpoint, Signer, open_note, sign_note
from letopis.audit.log.shelf import Shelf
from letopis.audit.log.tile import Pyramids, Tile, nodes_from, width_at
from letopis.common.envelope import Record
from letopis.common.errors import Conflict, EventStoreError, NotFound
from letopis.common.leaf import leaf_hash

WITNESSED = "witnessed"


class NotSealedYet(Conflict):
    """The position is not under a signed head yet; it will be within a second or two, unless sealing stopped."""

    code = "log.not_sealed_yet"
    title = "The fact is not under a signed checkpoint yet; ask again in a moment"


class NotAsSealed(EventStoreError):
    """The copy at hand does not hash to what the tree holds: it was changed after it was sealed."""

    code = "log.not_as_sealed"
    title = "The stored copy is not the fact that was sealed"


@dataclass(frozen=True, slots=True)
class SealedLog:
    """Published heads and proofs; everything it answers lies under a signature."""

    shelf: Shelf
    signers: dict[str, Signer]
    # Which log a ledger is sealed in now; the first has the ledger's name.
    log_of: Callable[[str], str] = str
    _kept: dict[str, Pyramids] = field(default_factory=dict)
    _heads: dict[str, tuple[str, Checkpoint]] = field(default_factory=dict)

    def signer(self, ledger: str) -> Signer:
        """Who signs the present log of a ledger."""
        return signer_of(self.signers[ledger], ledger, self.log_of(ledger))

    def note(self, ledger: str) -> str:
        """The published checkpoint. NotFound while there is none."""
        if ledger not in self.signers or (note := self.shelf.checkpoint(self.log_of(ledger))) is None:
            raise NotFound(f"there is no checkpoint of {ledger}")
        return note.decode()

    def witnessed(self, ledger: str) -> str:
        """The last checkpoint that enough witnesses signed too. NotFound while there is none."""
        if ledger not in self.signers or (note := self.shelf.checkpoint(self.log_of(ledger), WITNESSED)) is None:
            raise NotFound(f"no checkpoint of {ledger} has been witnessed")
        return note.decode()

    def publish_witnessed(self, ledger: str, note: str) -> None:
        self.shelf.publish(self.log_of(ledger), note.encode(), WITNESSED)

    def head(self, ledger: str) -> Checkpoint:
        """What the published checkpoint says; NotFound while there is none."""
        note = self.note(ledger)
        known = self._heads.get(ledger)
        if known is None or known[0] != note:
            known = note, Checkpoint.parse(open_note(note, [self.signer(ledger).verifier()]))
            self._heads[ledger] = known
        return known[1]

    def size(self, ledger: str) -> int:
        """How many facts are under the published head; 0 while there is none."""
        return self.head(ledger).size if self.shelf.checkpoint(self.log_of(ledger)) is not None else 0

    def signed(self, ledger: str, head: Checkpoint) -> str:
        """A head at or before the published one, as a signed note; Ed25519 gives the same bytes every time."""
        if self.root(ledger, head.size) != head.root:
            raise NotAsSealed(f"{ledger} never had this head of {head.size}")
        return sign_note(head.text(), self.signer(ledger))

    def nodes(self, ledger: str, size: int) -> Nodes:
        log = self.log_of(ledger)
        return nodes_from(partial(self.shelf.tile, log), size, self._kept.setdefault(log, {}))

    def tile(self, ledger: str, tile: Tile, *, entries: bool = False) -> bytes:
        """A tile or bundle that the published head covers; NotFound otherwise."""
        if tile.width > width_at(tile.level, tile.index, self.head(ledger).size):
            raise NotFound(f"{ledger} has no {tile.path()} under a signed checkpoint")
        log = self.log_of(ledger)
        return self.shelf.entries(log, tile) if entries else self.shelf.tile(log, tile)

    def root(self, ledger: str, size: int) -> bytes:
        """The tree head at a size up to the published one; NotSealedYet beyond."""
        head = self._covering(ledger, size)
        return head_at(size, self.nodes(ledger, head.size))

    def inclusion(self, ledger: str, position: int, size: int) -> list[bytes]:
        """The proof that the fact at a position is in the tree of `size`; NotSealedYet beyond the published head."""
        head = self._covering(ledger, size)
        if not 1 <= position <= size:
            raise NotSealedYet(f"{ledger}/{position} is not in a tree of {size}")
        return inclusion_proof(position - 1, size, self.nodes(ledger, head.size))

    def consistency(self, ledger: str, old: int, size: int) -> list[bytes]:
        """The proof that the tree of `old` is the beginning of the tree of `size`."""
        head = self._covering(ledger, max(old, size))
        if old > size:
            raise NotSealedYet(f"a tree of {old} is not the beginning of a tree of {size}")
        return consistency_proof(old, size, self.nodes(ledger, head.size))

    def prove(self, record: Record, head: Checkpoint) -> list[bytes]:
        """The inclusion proof of a record under a head, checked; NotAsSealed if the record does not lead there."""
        proof = self.inclusion(record.ledger, record.position, head.size)
        try:
            check_inclusion(record.position - 1, head.size, leaf_hash(record), proof, head.root)
        except BadProof as bad:
            raise NotAsSealed(f"{record.ledger}/{record.position}: {bad}") from bad
        return proof

    def _covering(self, ledger: str, size: int) -> Checkpoint:
        head = self.head(ledger)
        if size > head.size:
            raise NotSealedYet(f"{ledger} is sealed up to {head.size}, not {size}")
        return head


def signer_of(first: Signer, ledger: str, log: str) -> Signer:
    """The signer of one log of a ledger: the same key under the log's own origin."""
    return first if log == ledger else Signer(first.name.removesuffix(ledger) + log, first.key)
