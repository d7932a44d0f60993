"""How far a bucket's counts are from the reference's: PSI, KS, and a test of whether that far matters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, gammaincc

from letopis.monitoring.profile.binning import ABOVE, BELOW, VALUED, ZERO, Binning
from letopis.monitoring.profile.histogram import Histogram

Counts = NDArray[np.int64]
# A bin that one side lacks counts as half a row there, so that PSI stays finite.
HALF_ROW = 0.5
# Cochran (1954): the chi-square approximation holds where expected counts are about five.
EXPECTED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A two-sample comparison. `effect` is the bias-corrected distance in PSI's units; `p_value` is the chance
    of such a distance where the true one is `delta0`.
    """

    statistic: float
    degrees: int
    effect: float
    p_value: float
    rows: int


def valued(histogram: Histogram) -> Counts:
    """The counts that drift is measured on: ordinary bins, zero, outside the range, rare and unseen levels."""
    return histogram.counts[list(VALUED)]


def psi(reference: Counts, window: Counts) -> float:
    """Population stability index (Siddiqi 2006): sum of (q - p) ln(q / p) over bins; both arrays [bins] of rows.

    0 where nothing differs; 0.10 and 0.25 are the customary bounds. NaN where a side has no rows.
    """
    here = (reference > 0) | (window > 0)
    if not reference.sum() or not window.sum():
        return float("nan")
    p = np.maximum(reference[here], HALF_ROW) / reference.sum()
    q = np.maximum(window[here], HALF_ROW) / window.sum()
    return float(((q - p) * np.log(q / p)).sum())


def ks(binning: Binning, reference: Histogram, window: Histogram) -> float:
    """Largest distance of the two distribution functions at bin borders, 0 to 1; bins in the order of values."""
    order = value_order(binning)
    a, b = reference.counts[order], window.counts[order]
    if not a.sum() or not b.sum():
        return float("nan")
    return float(np.abs(a.cumsum() / a.sum() - b.cumsum() / b.sum()).max())


def value_order(binning: Binning) -> list[int]:
    """Bins of a numeric feature by value. Zero goes before the rest of the bin that it lies in.

    Where zero is outside the reference's range its bin is empty, so its place does not matter.
    """
    inner = list(range(len(binning.edges) + 1))
    zero = int(np.searchsorted(np.array(binning.edges), 0.0, side="right"))
    return [BELOW, *inner[:zero], ZERO, *inner[zero:], ABOVE]


def minimum_effect(reference: Counts, window: Counts, delta0: float) -> Effect:
    """Test of "the distance is more than delta0", not of "the distance is not zero".

    Pearson's two-sample statistic is non-central chi-square with lambda = n_e * distance, where
    n_e = nN / (n + N) and distance = sum (p - q)^2 / pooled share, which is PSI to second order. Taking
    lambda = n_e * delta0 asks whether the window is further off than a distance nobody minds (Murphy and Myors 1999).
    Neighbouring bins are joined until the smaller side expects five rows in each.
    """
    total, rows = int(reference.sum()), int(window.sum())
    if not total or not rows:
        return Effect(statistic=0.0, degrees=0, effect=0.0, p_value=1.0, rows=rows)
    a, b = joined(reference, window)
    degrees = len(a) - 1
    if degrees < 1:
        return Effect(statistic=0.0, degrees=0, effect=0.0, p_value=1.0, rows=rows)
    balance = np.sqrt(rows / total)
    statistic = float(((a * balance - b / balance) ** 2 / (a + b)).sum())
    size = rows * total / (rows + total)
    chance = 1.0 - chndtr(statistic, degrees, size * delta0) if delta0 > 0 else gammaincc(degrees / 2, statistic / 2)
    return Effect(
        statistic=statistic,
        degrees=degrees,
        effect=max(0.0, (statistic - degrees) / size),
        p_value=float(min(max(chance, 0.0), 1.0)),
        rows=rows,
    )


def joined(reference: Counts, window: Counts) -> tuple[Counts, Counts]:
    """Both sides with neighbouring bins joined from the left until the smaller side expects five rows in each."""
    pooled = reference + window
    share = min(reference.sum(), window.sum()) / pooled.sum()
    borders, kept, start = [], 0.0, 0
    for place, rows in enumerate(pooled.tolist()):
        kept += rows * share
        if kept >= EXPECTED:
            borders.append(start)
            start, kept = place + 1, 0.0
    if not borders:
        return reference.sum(keepdims=True), window.sum(keepdims=True)
    # What is left behind the last full bin belongs to that bin.
    return np.add.reduceat(reference, borders), np.add.reduceat(window, borders)
