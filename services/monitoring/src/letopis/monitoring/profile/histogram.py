"""Counts of one feature in one bucket: exact integers, merged by addition, packed into few bytes.

Everything here commutes and is exact (the sum is an integer of scaled values), except that of unseen levels the first
32 in ledger order are named; so a fold over the same facts gives the same bytes wherever its batches are cut.
"""

import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from letopis.monitoring.profile.binning import (
    ABOVE,
    ABSENT,
    BELOW,
    NONFINITE,
    NULL,
    RARE,
    REFUSED,
    UNPARSABLE,
    UNSEEN,
    WIDTH,
    WRONG_TYPE,
    ZERO,
    Binning,
    Scalar,
    level_text,
)

NAMED_UNSEEN = 32
# A level is a code. What is longer or reads like a number of somebody may be one person's value, and has no name here.
NOT_SHOWN = "(not shown)"
_CODE = re.compile(r"(?!.*[0-9]{9})[^\s@]{1,12}\Z")
# Values are scaled into +-2^40 and cut at 2^52, so that half-sums of 2^11 rows and more stay exact in 64 bits.
_LIMIT = 2.0**52
_HALF = 26


class Absent:
    """Stands for a field that was not in the row at all."""


class Refused:
    """Stands for a field for whose sake the row got no score."""


ABSENT_VALUE: Final = Absent()
REFUSED_VALUE: Final = Refused()
Value = Scalar | Absent | Refused


@dataclass(slots=True)
class Histogram:
    """Counts by bin (75: 64 ordinary, 11 special), the scaled sum, extremes, and names of unseen levels."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(WIDTH, dtype=np.int64))
    total: int = 0
    least: float = math.inf
    most: float = -math.inf
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows counted, whatever their bin."""
        return int(self.counts.sum())

    def mean(self, binning: Binning) -> float | None:
        """Mean of the finite numbers, to 2^-40 of the reference's reach; None without any."""
        numbers = self.rows - int(self.counts[[ABSENT, NULL, NONFINITE, UNPARSABLE, WRONG_TYPE, REFUSED]].sum())
        if binning.kind != "numeric" or not numbers:
            return None
        return math.ldexp(self.total / numbers, -binning.shift)

    def level(self, binning: Binning, name: str) -> int:
        """Rows of one level, known or among the named unseen ones."""
        if name in binning.levels:
            return int(self.counts[binning.levels.index(name)])
        return self.unseen.get(name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Counts of one bucket: rows that got a score, rows refused, a histogram a feature, and that of the score."""

    start: datetime
    rows: int
    refused: int
    features: tuple[Histogram, ...]
    score: Histogram


def count(binning: Binning, values: Sequence[Value], into: Histogram) -> None:
    """Add rows to a histogram, in their order."""
    if binning.kind == "level":
        _count_levels(binning, values, into)
        return
    kinds = set(map(type, values))
    plain = values if kinds <= {int, float} else _sorted_out(values, into)
    if plain:
        _count_numbers(binning, np.array(plain, dtype=np.float64), into)


def merge(into: Histogram, more: Histogram) -> None:
    """Add a histogram of later rows to one of earlier rows."""
    into.counts += more.counts
    into.total += more.total
    into.least, into.most = min(into.least, more.least), max(into.most, more.most)
    for name, rows in more.unseen.items():
        _name_unseen(into, name, rows)


def _sorted_out(values: Sequence[Value], into: Histogram) -> list[float]:
    """The numbers among the values; the others are counted in special bins."""
    numbers: list[float] = []
    for value in values:
        match value:
            case bool():
                into.counts[WRONG_TYPE] += 1
            case int() | float():
                numbers.append(value)
            case None:
                into.counts[NULL] += 1
            case Absent():
                into.counts[ABSENT] += 1
            case Refused():
                into.counts[REFUSED] += 1
            case str():
                # A number in quotes is a type that changed; other text is a value nobody can read.
                into.counts[WRONG_TYPE if _is_number(value) else UNPARSABLE] += 1
    return numbers


def _count_numbers(binning: Binning, numbers: NDArray[np.float64], into: Histogram) -> None:
    finite = numbers[np.isfinite(numbers)]
    into.counts[NONFINITE] += len(numbers) - len(finite)
    if not len(finite):
        return
    bins = np.searchsorted(np.array(binning.edges), finite, side="right")
    bins[finite == 0] = ZERO
    bins[finite < binning.low] = BELOW
    bins[finite > binning.high] = ABOVE
    into.counts += np.bincount(bins, minlength=WIDTH)
    # Beyond 2^1023 scaling overflows to infinity, which the cut brings back.
    with np.errstate(over="ignore"):
        scaled = np.clip(np.rint(np.ldexp(finite, binning.shift)), -_LIMIT, _LIMIT).astype(np.int64)
    into.total += (int((scaled >> _HALF).sum()) << _HALF) + int((scaled & ((1 << _HALF) - 1)).sum())
    # Adding 0.0 makes one zero of the two.
    into.least = min(into.least, float(finite.min()) + 0.0)
    into.most = max(into.most, float(finite.max()) + 0.0)


def _count_levels(binning: Binning, values: Sequence[Value], into: Histogram) -> None:
    places = {level: place for place, level in enumerate(binning.levels)}
    rare = frozenset(binning.rare)
    # 1 and True are equal and hash alike, so the type is part of the key.
    for (kind, value), rows in Counter(zip(map(type, values), values, strict=True)).items():
        match value:
            case None:
                into.counts[NULL] += rows
            case Absent():
                into.counts[ABSENT] += rows
            case Refused():
                into.counts[REFUSED] += rows
            case float() if not math.isfinite(value):
                into.counts[NONFINITE] += rows
            case _:
                name = level_text(value)
                if (place := places.get(name)) is not None:
                    # The text is known; a number that became a text, or the other way about, is a change of type.
                    into.counts[place if (kind is str) == binning.textual else WRONG_TYPE] += rows
                elif name in rare:
                    into.counts[RARE] += rows
                else:
                    into.counts[UNSEEN] += rows
                    _name_unseen(into, name if _CODE.match(name) else NOT_SHOWN, rows)


def _name_unseen(into: Histogram, name: str, rows: int) -> None:
    if name in into.unseen:
        into.unseen[name] += rows
    elif len(into.unseen) < NAMED_UNSEEN:
        into.unseen[name] = rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_WIDTHS = ("u1", "<u2", "<u4", "<u8")
_HEAD = struct.Struct("<BddH")


def pack(histogram: Histogram) -> bytes:
    """The histogram as bytes; equal histograms give equal bytes."""
    largest = int(histogram.counts.max())
    width = next(place for place, size in enumerate((8, 16, 32, 63)) if largest < 1 << size)
    total = str(histogram.total).encode()
    parts = [
        _HEAD.pack(width, histogram.least, histogram.most, len(histogram.unseen)),
        histogram.counts.astype(_WIDTHS[width]).tobytes(),
        struct.pack("<H", len(total)),
        total,
    ]
    for name, rows in histogram.unseen.items():
        text = name.encode()
        parts.append(struct.pack("<HQ", len(text), rows) + text)
    return b"".join(parts)


def unpack(data: bytes) -> Histogram:
    """The histogram that `pack` wrote."""
    width, least, most, named = _HEAD.unpack_from(data)
    start, size = _HEAD.size, np.dtype(_WIDTHS[width]).itemsize * WIDTH
    counts = np.frombuffer(data, dtype=_WIDTHS[width], count=WIDTH, offset=start).astype(np.int64)
    start += size
    (length,) = struct.unpack_from("<H", data, start)
    start += 2
    total = int(data[start : start + length])
    start += length
    unseen = {}
    for _ in range(named):
        length, rows = struct.unpack_from("<HQ", data, start)
        start += 10
        unseen[data[start : start + length].decode()] = rows
        start += length
    return Histogram(counts=counts, total=total, least=least, most=most, unseen=unseen)


def pack_all(histograms: Iterable[Histogram]) -> bytes:
    """Histograms of one bucket, in the order of the monitor's features, each behind its length."""
    return b"".join(struct.pack("<I", len(data)) + data for data in map(pack, histograms))


def unpack_all(data: bytes) -> list[Histogram]:
    """What `pack_all` wrote."""
    found, start = [], 0
    while start < len(data):
        (length,) = struct.unpack_from("<I", data, start)
        found.append(unpack(data[start + 4 : start + 4 + length]))
        start += 4 + length
    return found
