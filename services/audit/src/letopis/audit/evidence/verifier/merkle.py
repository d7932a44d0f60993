"""RFC 6962 trees for a reader: roots of whole ledgers, inclusion of one leaf, consistency of two heads."""

from collections.abc import Sequence
from hashlib import sha256

from .fault import Bad


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def _join(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The tree head: rows are paired from the left, an odd last hash moves up as it is."""
    if not hashes:
        return sha256(b"").digest()
    row = list(hashes)
    while len(row) > 1:
        above = [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
        if len(row) & 1:
            above.append(row[-1])
        row = above
    return row[0]


def included(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to; Bad if its length does not fit the tree.

    Walks from the leaf: at each level the node has a sibling on the left, one on the right, or none.
    """
    if not 0 <= index < size:
        raise Bad(f"leaf {index} is not in a tree of {size}")
    rest, last, head = list(proof), size - 1, leaf
    while last:
        if index & 1 or index < last:
            if not rest:
                raise Bad("the inclusion proof is too short")
            sibling = rest.pop(0)
            head = _join(sibling, head) if index & 1 else _join(head, sibling)
        index, last = index >> 1, last >> 1
    if rest:
        raise Bad("the inclusion proof is too long")
    return head


def consistent(old: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` begins with the tree of `old`: the recursion of RFC 6962 section 2.1.2."""
    if old in {0, size}:
        return not proof and old_root == (new_root if old else root([]))
    if not 0 < old < size:
        return False
    rest = list(proof)

    def walk(part: int, whole: int, *, known: bool) -> tuple[bytes, bytes]:
        """The heads of the old and the new tree over one subtree, taking hashes from the end of the proof."""
        if part == whole:
            head = old_root if known else rest.pop(0)
            return head, head
        left = 1 << (whole - 1).bit_length() - 1
        if part <= left:
            before, after = walk(part, left, known=known)
            return before, _join(after, rest.pop(0))
        before, after = walk(part - left, whole - left, known=False)
        shared = rest.pop(0)
        return _join(shared, before), _join(shared, after)

    try:
        before, after = walk(old, size, known=True)
    except IndexError:
        return False
    return not rest and before == old_root and after == new_root
