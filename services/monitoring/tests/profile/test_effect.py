"""PSI, KS and the minimum-effect test against brute force, scipy, and their promised error rates."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from letopis.monitoring.profile.binning import BINS, learn
from letopis.monitoring.profile.effect import joined, ks, minimum_effect, psi, valued
from letopis.monitoring.profile.histogram import Histogram, count

counts = st.lists(st.integers(0, 5000), min_size=2, max_size=40)


def pair(data: st.DataObject) -> tuple[np.ndarray, np.ndarray]:
    a = data.draw(counts)
    b = data.draw(st.lists(st.integers(0, 5000), min_size=len(a), max_size=len(a)))
    assume(sum(a) and sum(b))
    return np.array(a), np.array(b)


class TestPsi:
    @given(st.data())
    def test_is_the_sum_a_loop_makes(self, data: st.DataObject) -> None:
        a, b = pair(data)
        total = 0.0
        for x, y in zip(a.tolist(), b.tolist(), strict=True):
            if x or y:
                p, q = max(x, 0.5) / sum(a.tolist()), max(y, 0.5) / sum(b.tolist())
                total += (q - p) * math.log(q / p)
        assert psi(a, b) == pytest.approx(total, abs=1e-12, rel=1e-12)

    def test_is_nothing_between_equal_shares(self) -> None:
        assert psi(np.array([10, 20, 0, 70]), np.array([100, 200, 0, 700])) == 0.0

    def test_is_unknown_without_rows(self) -> None:
        assert math.isnan(psi(np.array([1, 2]), np.array([0, 0])))


class TestKs:
    def test_is_scipys_up_to_the_width_of_a_bin(self) -> None:
        rng = np.random.default_rng(7)
        training, later = rng.normal(size=20_000), rng.normal(0.3, 1.2, size=5_000)
        training[:2000], later[:100] = 0.0, 0.0
        binning = learn("x", training.tolist())
        sides = []
        for values in (training, later):
            histogram = Histogram()
            count(binning, values.tolist(), histogram)
            sides.append(histogram)
        exact = stats.ks_2samp(training, later).statistic
        # Within a bin the two functions can part by no more than the bin's share.
        assert exact - 2 / BINS <= ks(binning, *sides) <= exact + 2 / BINS


class TestMinimumEffect:
    @given(st.data())
    def test_is_pearsons_test_of_homogeneity_where_no_effect_is_minded(self, data: st.DataObject) -> None:
        a, b = pair(data)
        x, y = joined(a, b)
        assume(len(x) > 1)
        judge = stats.chi2_contingency(np.array([x, y]), correction=False)
        mine = minimum_effect(a, b, 0.0)
        assert mine.degrees == judge.dof
        assert mine.statistic == pytest.approx(judge.statistic, rel=1e-9)
        assert mine.p_value == pytest.approx(judge.pvalue, rel=1e-6, abs=1e-12)

    @given(st.data(), st.floats(0.001, 0.5))
    def test_is_a_poisson_mixture_of_central_tails(self, data: st.DataObject, delta0: float) -> None:
        a, b = pair(data)
        mine = minimum_effect(a, b, delta0)
        assume(mine.degrees >= 1)
        size = a.sum() * b.sum() / (a.sum() + b.sum())
        # The definition; scipy's own ncx2.sf overflows for some of these.
        half = size * delta0 / 2
        terms = np.arange(max(0, half - 12 * half**0.5 - 40), half + 12 * half**0.5 + 40).astype(int)
        tails = stats.chi2.sf(mine.statistic, mine.degrees + 2 * terms)
        assert mine.p_value == pytest.approx(float(stats.poisson.pmf(terms, half) @ tails), abs=1e-7)

    @given(st.data())
    def test_joins_bins_without_losing_rows(self, data: st.DataObject) -> None:
        a, b = pair(data)
        x, y = joined(a, b)
        assert (x.sum(), y.sum()) == (a.sum(), b.sum())
        smaller = min(a.sum(), b.sum()) / (a.sum() + b.sum())
        assert len(x) == 1 or ((x + y) * smaller >= 5 - 1e-9).all()

    def test_cries_wolf_no_more_often_than_its_level_and_sees_a_real_shift(self) -> None:
        rng = np.random.default_rng(11)
        shares = rng.dirichlet(np.full(40, 5.0))
        reference = rng.multinomial(30_000, shares)
        quiet = [minimum_effect(reference, rng.multinomial(2_000, shares), 0.02).p_value for _ in range(400)]
        assert sum(p < 0.01 for p in quiet) <= 4
        moved = shares * np.exp(0.5 * np.where(np.arange(40) < 20, 1, -1))
        moved /= moved.sum()
        seen = minimum_effect(reference, rng.multinomial(2_000, moved), 0.02)
        true = float(((moved - shares) * np.log(moved / shares)).sum())
        assert seen.p_value < 1e-6
        assert seen.effect == pytest.approx(true, rel=0.25)

    def test_is_silent_without_rows(self) -> None:
        assert minimum_effect(np.array([5, 5]), np.array([0, 0]), 0.02).p_value == 1.0


class TestValued:
    def test_leaves_out_what_the_contract_judges(self) -> None:
        binning = learn("x", [1.5, 2.5])
        histogram = Histogram()
        count(binning, [None, "a", 1.5, 9.0], histogram)
        assert valued(histogram).sum() == 2
