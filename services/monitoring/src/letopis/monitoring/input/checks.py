"""What inputs promised and broke: missing fields, wrong types, new, vanished and jumping levels, constants.

Each check is exact in the counts and asks for a chance below 1e-6, so it needs no minimum sample and no warm-up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scipy.special import bdtrc, xlog1py, xlogy

from letopis.monitoring.profile.binning import (
    ABSENT,
    NONFINITE,
    NULL,
    REFUSED,
    UNPARSABLE,
    WRONG_TYPE,
    Binning,
)
from letopis.monitoring.profile.histogram import Histogram

ALPHA = 1e-6
# A level is said to jump when its share moves by a point and becomes three times what it was.
JUMP_POINTS = 0.01
JUMP_TIMES = 3.0

Check = Literal["missing", "wrong_type", "not_finite", "level", "vanished", "constant"]
_MISSING = (ABSENT, NULL, REFUSED)
_WRONG = (UNPARSABLE, WRONG_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One broken promise: rows before and now, out of how many, and one line for people."""

    check: Check
    level: str
    text: str
    old: int
    old_rows: int
    new: int
    new_rows: int


def surprising(rows: int, of: int, before: int, before_of: int) -> bool:
    """Whether so many rows are too many: exact binomial tail against the earlier share.

    The earlier share is taken one row higher than seen ((before + 1) / (before_of + 1)), so that what never
    happened before may still happen once in so many rows.
    """
    if rows <= 0:
        return False
    share = min(1.0, (before + 1) / (before_of + 1))
    return share < 1.0 and float(bdtrc(rows - 1, of, share)) < ALPHA


def breaches(
    binning: Binning, reference: Histogram, previous: Histogram | None, window: Histogram
) -> tuple[Breach, ...]:
    """Broken promises of one feature in one bucket; `previous` is the bucket before it.

    A feature that is missing or has another type is not looked at further: what remains of it says nothing.
    """
    if not window.rows:
        return ()
    found = tuple(_unusable(binning.feature, reference, window))
    if any(one.check != "not_finite" for one in found):
        return found
    if binning.kind == "level":
        found += tuple(_levels(binning, reference, previous, window))
        found += tuple(_vanished(binning, reference, previous, window))
    return found + tuple(_constant(binning, reference, window))


def _unusable(feature: str, reference: Histogram, window: Histogram) -> Iterator[Breach]:
    kinds: tuple[tuple[Check, str, tuple[int, ...]], ...] = (
        ("missing", "missing", _MISSING),
        ("wrong_type", "of another type", _WRONG),
        ("not_finite", "not a finite number", (NONFINITE,)),
    )
    for check, said, bins in kinds:
        old, new = int(reference.counts[list(bins)].sum()), int(window.counts[list(bins)].sum())
        if surprising(new, window.rows, old, reference.rows):
            yield _breach(check, f"{feature} {said}", (old, reference.rows), (new, window.rows))


def _levels(binning: Binning, reference: Histogram, previous: Histogram | None, window: Histogram) -> Iterator[Breach]:
    for name in (*binning.levels, *sorted(window.unseen)):
        new = window.level(binning, name)
        against = [one for one in (previous, reference) if one is not None and one.rows]
        # Both the bucket before and the training data must find it strange: a change that stayed was told already.
        if against and all(_jumped(new, window.rows, one.level(binning, name), one.rows) for one in against):
            old = (against[0].level(binning, name), against[0].rows)
            yield _breach("level", f"{binning.feature} code {name}", old, (new, window.rows), name)


def _jumped(new: int, of: int, old: int, old_of: int) -> bool:
    share, before = new / of, old / old_of
    large = share - before >= JUMP_POINTS and share >= JUMP_TIMES * before
    return large and surprising(new, of, old, old_of)


def _vanished(
    binning: Binning, reference: Histogram, previous: Histogram | None, window: Histogram
) -> Iterator[Breach]:
    for name in binning.levels:
        if window.level(binning, name):
            continue
        against = [one for one in (previous, reference) if one is not None and one.rows]
        shares = [one.level(binning, name) / one.rows for one in against]
        if shares and min(shares) >= JUMP_POINTS and float(xlog1py(window.rows, -min(shares))) < _log_alpha():
            old = (against[0].level(binning, name), against[0].rows)
            yield _breach("vanished", f"{binning.feature} code {name}", old, (0, window.rows), name)


def _constant(binning: Binning, reference: Histogram, window: Histogram) -> Iterator[Breach]:
    """All rows in one value, where the reference would do so with a chance below alpha."""
    if binning.kind == "numeric":
        same, varied = window.least == window.most, reference.least < reference.most
    else:
        used = int((window.counts > 0).sum())
        same, varied = used == 1 and len(window.unseen) <= 1, int((reference.counts > 0).sum()) > 1
    if not same or not varied:
        return
    share = int(reference.counts.max()) / reference.rows
    if float(xlogy(window.rows, share)) < _log_alpha():
        text = f"{binning.feature} has one value only"
        old = (int(reference.counts.max()), reference.rows)
        yield _breach("constant", text, old, (window.rows, window.rows))


def _log_alpha() -> float:
    return float(xlogy(1.0, ALPHA))


def _breach(check: Check, what: str, old: tuple[int, int], new: tuple[int, int], level: str = "") -> Breach:
    return Breach(
        check=check,
        level=level,
        text=f"{what}: {old[0]:,} -> {new[0]:,} rows",
        old=old[0],
        old_rows=old[1],
        new=new[0],
        new_rows=new[1],
    )
