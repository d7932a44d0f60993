"""Quality from histograms against scikit-learn on the binned scores, and DeLong by brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

from letopis.monitoring.outcome.quality import SCORE_BINS, Z95, quality, score_bin

scores = st.lists(st.floats(0, 1), min_size=2, max_size=40)


def binned(values: list[float]) -> np.ndarray:
    return np.bincount([score_bin(value) for value in values], minlength=SCORE_BINS)


class TestQuality:
    @given(scores, scores)
    def test_is_what_scikit_learn_says_of_the_binned_scores(self, bad: list[float], good: list[float]) -> None:
        mine = quality(binned(bad), binned(good))
        assert mine is not None
        middles = [(score_bin(value) + 0.5) / SCORE_BINS for value in (*bad, *good)]
        labels = [1] * len(bad) + [0] * len(good)
        fpr, tpr, _ = roc_curve(labels, middles)
        assert mine.auc == pytest.approx(roc_auc_score(labels, middles), abs=1e-12)
        assert mine.gini == pytest.approx(2 * mine.auc - 1)
        assert mine.ks == pytest.approx(np.abs(tpr - fpr).max(), abs=1e-12)
        assert mine.brier == pytest.approx(brier_score_loss(labels, middles), abs=1e-12)

    @given(scores, scores)
    def test_has_delongs_error_as_the_pairs_give_it(self, bad: list[float], good: list[float]) -> None:
        mine = quality(binned(bad), binned(good))
        assert mine is not None
        x, y = np.array([score_bin(v) for v in bad]), np.array([score_bin(v) for v in good])
        wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        by_bad, by_good = wins.mean(axis=1), wins.mean(axis=0)
        error = math.sqrt(by_bad.var(ddof=1) / len(x) + by_good.var(ddof=1) / len(y))
        assert mine.error == pytest.approx(error, abs=1e-12)

    def test_covers_the_truth_as_often_as_promised(self) -> None:
        rng = np.random.default_rng(3)
        truth = 0.5 * (1 + math.erf(1 / 2))  # P(N(1,1) > N(0,1)) is Phi(1 / sqrt 2).
        inside = 0
        for _ in range(300):
            bad = 1 / (1 + np.exp(-rng.normal(1, 1, 150)))
            good = 1 / (1 + np.exp(-rng.normal(0, 1, 600)))
            found = quality(binned(bad.tolist()), binned(good.tolist()))
            assert found is not None
            inside += found.low <= truth <= found.high
        assert 0.90 * 300 <= inside <= 0.99 * 300

    def test_claims_nothing_from_one_row(self) -> None:
        assert quality(binned([0.5]), binned([0.1, 0.2, 0.3])) is None

    def test_uses_the_two_sided_ninety_five(self) -> None:
        assert math.erf(Z95 / math.sqrt(2)) == pytest.approx(0.95, abs=1e-12)


class TestScoreBin:
    def test_holds_the_ends(self) -> None:
        assert [score_bin(score) for score in (0.0, 1 / 256, 0.999, 1.0)] == [0, 1, 255, 255]
