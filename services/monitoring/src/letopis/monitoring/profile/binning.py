"""Bins of one feature, frozen from the training reference: quantile ranges for numbers, named levels for codes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

BINS = 64
# A column whose values are whole and few is a column of codes, whatever its declared type.
FEW_LEVELS = 32

# Special bins stand behind the 64 ordinary ones, always at these places.
ABSENT, NULL, NONFINITE, UNPARSABLE, WRONG_TYPE, BELOW, ABOVE, ZERO, RARE, UNSEEN, REFUSED = range(BINS, BINS + 11)
WIDTH = BINS + 11
SPECIAL = (
    "absent",
    "null",
    "nonfinite",
    "unparsable",
    "wrong_type",
    "below",
    "above",
    "zero",
    "rare",
    "unseen",
    "refused",
)
# Rows of these bins carry a value that drift is measured on; the others are for the contract.
VALUED = (*range(BINS), BELOW, ABOVE, ZERO, RARE, UNSEEN)

Kind = Literal["numeric", "level"]
Scalar = float | int | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binning:
    """How values of one feature are counted.

    numeric: value v falls into bin `searchsorted(edges, v, side="right")`; zero, and what lies outside
    [low, high], has special bins. `shift` is the power of two by which values are scaled before their exact
    integer sum. level: bin i counts `levels[i]`; `rare` are reference levels beyond the 64 most frequent.
    """

    feature: str
    kind: Kind
    edges: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    shift: int = 0
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    textual: bool = False


def level_text(value: float | str | bool) -> str:
    """One spelling of a level: 1, 1.0 and a column stored as double give the same text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def kind_of(values: Sequence[Scalar]) -> Kind:
    """Codes or numbers: texts, truth values and up to 32 different whole numbers are levels."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, str | bool) for value in present):
        return "level"
    different = set(present)
    few = len(different) <= FEW_LEVELS
    return "level" if different and few and all(float(value).is_integer() for value in different) else "numeric"


def learn(feature: str, values: Sequence[Scalar], kind: Kind | None = None) -> Binning:
    """Bins of a feature from its training values; `kind` is found out where it is not declared.

    Numeric edges are the 1/64 quantiles (lower observed values) of the finite, non-zero values, each once.
    """
    if (kind or kind_of(values)) == "level":
        return _learn_levels(feature, values)
    numbers = _finite(values)
    if not len(numbers):
        return Binning(feature=feature, kind="numeric")
    low, high = float(numbers.min()), float(numbers.max())
    nonzero = np.sort(numbers[numbers != 0])
    edges: NDArray[np.float64] = np.empty(0)
    if len(nonzero):
        places = np.arange(1, BINS) * len(nonzero) // BINS
        edges = np.unique(nonzero[places])
        edges = edges[edges > low]
    reach = max(abs(low), abs(high), 2.0**-40)
    return Binning(
        feature=feature,
        kind="numeric",
        edges=tuple(edges.tolist()),
        low=low,
        high=high,
        shift=40 - int(np.frexp(reach)[1]),
    )


def _learn_levels(feature: str, values: Sequence[Scalar]) -> Binning:
    present = [value for value in values if value is not None]
    counted = Counter(level_text(value) for value in present)
    ranked = sorted(counted, key=lambda level: (-counted[level], level))
    return Binning(
        feature=feature,
        kind="level",
        levels=tuple(sorted(ranked[:BINS])),
        rare=tuple(sorted(ranked[BINS:])),
        textual=any(isinstance(value, str) for value in present),
    )


def _finite(values: Sequence[Any]) -> NDArray[np.float64]:
    numbers = np.array([value for value in values if value is not None], dtype=np.float64)
    return numbers[np.isfinite(numbers)]
