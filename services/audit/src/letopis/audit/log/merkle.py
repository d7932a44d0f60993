"""Merkle trees as RFC 6962 section 2.1 tells them: roots, growth, and proofs of inclusion and consistency."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# The hash of a complete subtree: (level, index) covers the leaves [index * 2^level, (index + 1) * 2^level).
Nodes = Callable[[int, int], bytes]


class BadProof(Exception):
    """A proof does not lead from what it proves to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What must be kept of a tree to let it grow: the complete subtrees from left to right, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extended(self, hashes: Iterable[bytes]) -> "Frontier":
        """The frontier after appending leaf hashes; O(1) hashes a leaf on average."""
        size, peaks = self.size, list(self.peaks)
        for one in hashes:
            carry, count = one, size
            while count & 1:
                carry = node_hash(peaks.pop(), carry)
                count >>= 1
            peaks.append(carry)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The tree head of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        head = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            head = node_hash(peak, head)
        return head


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The tree head of leaf hashes."""
    return Frontier().extended(hashes).root()


def frontier_at(size: int, nodes: Nodes) -> Frontier:
    """The frontier of the first `size` leaves, read from a tree that holds at least them."""
    return Frontier(size, tuple(nodes(level, index) for level, index in _complete(0, size)))


def head_at(size: int, nodes: Nodes) -> bytes:
    """The tree head at an earlier (or the present) size."""
    return frontier_at(size, nodes).root()


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf upwards. IndexError outside the tree."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    low, high, path = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(middle, high, nodes))
            high = middle
        else:
            path.append(_range(low, middle, nodes))
            low = middle
    return path[::-1]


def consistency_proof(old: int, size: int, nodes: Nodes) -> list[bytes]:
    """PROOF(old, D[size]) of RFC 6962 section 2.1.2; empty for old = 0 and old = size, IndexError beyond."""
    if not 0 <= old <= size:
        raise IndexError(f"a tree of {old} is not the beginning of a tree of {size}")
    if old in {0, size}:
        return []
    low, high, whole, proof = 0, size, True, []
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range(middle, high, nodes))
            high = middle
        else:
            proof.append(_range(low, middle, nodes))
            low, whole = middle, False
    if not whole:
        proof.append(_range(low, high, nodes))
    return proof[::-1]


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2: the leaf hash stands at `index` under `root`. BadProof if it does not."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size}")
    number, last, head = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise BadProof("the inclusion proof is too long")
        if number & 1 or number == last:
            head = node_hash(one, head)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            head = node_hash(head, one)
        number, last = number >> 1, last >> 1
    if last or head != root:
        raise BadProof(f"leaf {index} does not lead to the root of {size}")


def check_consistency(  # noqa: C901 the steps are those of the RFC
    old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162 section 2.1.4.2: the tree of `size` begins with the tree of `old`. BadProof if it does not."""
    if not 0 <= old <= size:
        raise BadProof(f"a tree of {old} is not the beginning of a tree of {size}")
    if old in {0, size}:
        if proof or (old_root != (root if old else EMPTY_ROOT)):
            raise BadProof(f"two heads of {old} leaves differ, or a proof stands where none is needed")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise BadProof("the consistency proof is empty")
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    before = after = path[0]
    for one in path[1:]:
        if last == 0:
            raise BadProof("the consistency proof is too long")
        if number & 1 or number == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            after = node_hash(after, one)
        number, last = number >> 1, last >> 1
    if last or before != old_root or after != root:
        raise BadProof(f"the tree of {size} does not begin with the tree of {old}")


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _complete(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that make up a range, largest first; `low` is aligned to the range's own size."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield level, low >> level
        low += 1 << level


def _range(low: int, high: int, nodes: Nodes) -> bytes:
    """The tree hash of the leaves [low, high), which PATH and PROOF only ask for where `low` is aligned."""
    return Frontier(high - low, tuple(nodes(level, index) for level, index in _complete(low, high))).root()
