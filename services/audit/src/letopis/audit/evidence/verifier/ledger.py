"""A live ledger against a checkpoint kept outside: which stored fact is not the one that was sealed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import merkle
from .fault import Bad, Fault
from .leaf import leaf_of
from .note import Head

TILE = 256 * 32


@dataclass(frozen=True)
class Row:
    """A stored fact: its fields as text, data and meta as the stored bytes."""

    record: dict[str, str]
    data: bytes
    meta: bytes


def sealed(tiles: Iterable[bytes], head: Head) -> list[bytes]:
    """The leaf hashes of level-0 tiles; Bad unless they lead to the head's root."""
    data = b"".join(tiles)
    hashes = [data[at : at + 32] for at in range(0, len(data), 32)]
    if len(hashes) < head.size or len(data) % 32:
        raise Bad(f"the tiles hold {len(hashes)} hashes, the checkpoint speaks of {head.size}")
    hashes = hashes[: head.size]
    if merkle.root(hashes) != head.root:
        raise Bad("the tiles do not lead to the checkpoint's root")
    return hashes


def differing(ledger: str, rows: Iterable[Row], hashes: Sequence[bytes]) -> Iterator[Fault]:
    """Every position of the sealed ledger at which the rows (in order of position) tell something else."""
    expected = 1
    for row in rows:
        position = int(row.record["position"])
        if position > len(hashes):
            break
        if position < expected:
            yield Fault(f"{ledger}/{position}", "stands twice")
            continue
        yield from (_missing(ledger, lost) for lost in range(expected, position))
        expected = position + 1
        try:
            leaf = merkle.leaf_hash(leaf_of(row.record, row.data, row.meta))
        except Bad as bad:
            yield Fault(f"{ledger}/{position}", bad.what)
            continue
        if row.record["ledger"] != ledger or leaf != hashes[position - 1]:
            yield Fault(f"{ledger}/{position}", "is not the fact that was sealed")
    yield from (_missing(ledger, lost) for lost in range(expected, len(hashes) + 1))


def root_over(ledger: str, rows: Iterable[Row], size: int) -> bytes:
    """The root of the first `size` stored facts, for a checkpoint kept without its tiles; Bad at a hole."""
    hashes: list[bytes] = []
    for row in rows:
        position = int(row.record["position"])
        if position > size:
            break
        if position != len(hashes) + 1:
            raise Bad("is missing", f"{ledger}/{len(hashes) + 1}")
        try:
            hashes.append(merkle.leaf_hash(leaf_of(row.record, row.data, row.meta)))
        except Bad as bad:
            raise Bad(bad.what, f"{ledger}/{position}") from None
    if len(hashes) < size:
        raise Bad("is missing", f"{ledger}/{len(hashes) + 1}")
    return merkle.root(hashes)


def _missing(ledger: str, position: int) -> Fault:
    return Fault(f"{ledger}/{position}", "is missing")
