"""What is known of a table by who alone has filled it from the start: keys that it cannot have, rows just written."""

from collections.abc import Iterable
from itertools import islice
from mmap import mmap
from typing import Any

from letopis.common.projecting.rows import Key

# A Bloom filter of two probes: with a million keys one answer in five thousand is a question too many, with a hundred
# million most are, and none is ever one too few. Its pages are taken as they are touched.
_BITS = 1 << 27
_MASK = _BITS - 1
ROWS = 50_000


class Met:
    """Keys that were written and rows that were written lately, as the table has them after a commit."""

    def __init__(self) -> None:
        self._bits = mmap(-1, _BITS >> 3)
        self._rows: dict[Key, tuple[Any, ...]] = {}

    def row(self, key: Key) -> tuple[Any, ...] | None:
        """The row's values as they were written, if they are at hand."""
        return self._rows.get(key)

    def ever(self, key: Key) -> bool:
        """Whether the table may have the key; never False for one that it has."""
        bits, digest = self._bits, hash(key)
        one, other = digest & _MASK, (digest >> 30) & _MASK
        return bool(bits[one >> 3] >> (one & 7) & 1 and bits[other >> 3] >> (other & 7) & 1)

    def wrote(self, rows: Iterable[tuple[Key, tuple[Any, ...]]], deleted: Iterable[Key]) -> None:
        """These rows and deletions are committed."""
        bits, late = self._bits, self._rows
        for key in deleted:
            late.pop(key, None)
        for key, values in rows:
            digest = hash(key)
            one, other = digest & _MASK, (digest >> 30) & _MASK
            bits[one >> 3] |= 1 << (one & 7)
            bits[other >> 3] |= 1 << (other & 7)
            late[key] = values
        if len(late) > ROWS:
            # The oldest go; who is asked for again is loaded.
            for key in list(islice(late, len(late) - ROWS // 2)):
                del late[key]
