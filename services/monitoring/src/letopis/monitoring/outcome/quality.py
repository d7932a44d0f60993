"""How well scores told the outcome: Gini, KS and Brier from score histograms of 256 bins a class, with intervals."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

SCORE_BINS = 256
# Two-sided 95 % of the normal distribution.
Z95 = 1.959963984540054

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Ranking and calibration of one cohort. Intervals are 95 %, DeLong (1988); `error` is the AUC's standard error."""

    rows: int
    bad: int
    auc: float
    error: float
    low: float
    high: float
    ks: float
    brier: float

    @property
    def gini(self) -> float:
        return 2 * self.auc - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Decisions of one bucket: how many, and those with a label by score bin, [256] each."""

    start: datetime
    decisions: int
    bad: Counts
    good: Counts

    @property
    def labelled(self) -> int:
        return int(self.bad.sum() + self.good.sum())


def score_bin(score: float) -> int:
    """The bin of a probability in [0, 1]: 256 equal bins, 1.0 in the last."""
    return min(max(int(score * SCORE_BINS), 0), SCORE_BINS - 1)


def quality(bad: Counts, good: Counts) -> Quality | None:
    """Metrics from rows by score bin, [256] for each class; None unless each class has two rows.

    Equal bins count as ties (half); Brier takes the middle of a bin, which is off by at most 1/256.
    """
    positives, negatives = int(bad.sum()), int(good.sum())
    if positives < 2 or negatives < 2:
        return None
    # Chance that a row of the other class scores lower (for bad), or higher (for good), ties counted half.
    beaten = (good.cumsum() - good / 2) / negatives
    beating = (bad[::-1].cumsum()[::-1] - bad / 2) / positives
    auc = float((bad * beaten).sum() / positives)
    spread_bad = float((bad * (beaten - auc) ** 2).sum()) / (positives - 1)
    spread_good = float((good * (beating - auc) ** 2).sum()) / (negatives - 1)
    error = math.sqrt(spread_bad / positives + spread_good / negatives)
    middle = (np.arange(len(bad)) + 0.5) / len(bad)
    squares = (bad * (1 - middle) ** 2).sum() + (good * middle**2).sum()
    return Quality(
        rows=positives + negatives,
        bad=positives,
        auc=auc,
        error=error,
        low=max(0.0, auc - Z95 * error),
        high=min(1.0, auc + Z95 * error),
        ks=float(np.abs(bad.cumsum() / positives - good.cumsum() / negatives).max()),
        brier=float(squares / (positives + negatives)),
    )
