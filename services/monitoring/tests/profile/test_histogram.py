"""Counting against a brute-force twin, and that neither batch borders nor packing change a byte."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.monitoring.profile.binning import (
    ABOVE,
    ABSENT,
    BELOW,
    BINS,
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
    kind_of,
    learn,
)
from letopis.monitoring.profile.histogram import (
    ABSENT_VALUE,
    NAMED_UNSEEN,
    NOT_SHOWN,
    REFUSED_VALUE,
    Histogram,
    Value,
    count,
    merge,
    pack,
    pack_all,
    unpack,
    unpack_all,
)

numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.just(0.0))
rows = st.one_of(
    numbers,
    st.sampled_from([None, True, "12", "abc", "nan?", math.nan, math.inf, -math.inf, ABSENT_VALUE, REFUSED_VALUE]),
)


def place(binning: Binning, value: Value) -> int:
    """One value's bin, said as plainly as can be."""
    if value is None:
        return NULL
    if value is ABSENT_VALUE:
        return ABSENT
    if value is REFUSED_VALUE:
        return REFUSED
    if isinstance(value, bool):
        return WRONG_TYPE
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return UNPARSABLE
        return WRONG_TYPE
    assert isinstance(value, int | float)
    if not math.isfinite(value):
        return NONFINITE
    if value < binning.low:
        return BELOW
    if value > binning.high:
        return ABOVE
    if value == 0:
        return ZERO
    return sum(edge <= value for edge in binning.edges)


class TestNumbers:
    @given(st.lists(numbers, min_size=1, max_size=200), st.lists(rows, max_size=100))
    def test_are_counted_as_the_twin_counts_them(self, training: list[float], window: list[Value]) -> None:
        binning = learn("bill", training, "numeric")
        histogram = Histogram()
        count(binning, window, histogram)
        twin = np.zeros(WIDTH, dtype=np.int64)
        for value in window:
            twin[place(binning, value)] += 1
        assert histogram.counts.tolist() == twin.tolist()
        assert histogram.rows == len(window)

    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
    def test_have_the_mean_that_exact_arithmetic_gives(self, training: list[float]) -> None:
        binning = learn("bill", training, "numeric")
        histogram = Histogram()
        count(binning, training, histogram)
        exact = sum(map(Fraction, training), Fraction(0)) / len(training)
        mean = histogram.mean(binning)
        assert mean is not None
        assert abs(mean - float(exact)) <= max(map(abs, training)) * 2.0**-38 + 2.0**-78
        assert (histogram.least, histogram.most) == (min(training), max(training))

    def test_are_spread_evenly_by_the_reference_quantiles(self) -> None:
        training = np.random.default_rng(1).normal(size=64_000).tolist()
        binning = learn("x", training)
        histogram = Histogram()
        count(binning, training, histogram)
        assert len(binning.edges) == BINS - 1
        assert histogram.counts[:BINS].min() >= 999
        assert histogram.counts[:BINS].max() <= 1001

    def test_beyond_all_reason_do_not_break_the_sum(self) -> None:
        binning = learn("x", [1.25, 2.0])
        histogram = Histogram()
        count(binning, [1.7e308, -1.7e308, 1.5], histogram)
        assert histogram.counts[[BELOW, ABOVE]].tolist() == [1, 1]
        assert histogram.mean(binning) == pytest.approx(0.5)

    def test_without_any_reference_are_all_outside(self) -> None:
        binning = learn("x", [None, math.nan], "numeric")
        histogram = Histogram()
        count(binning, [3.0, 0.0], histogram)
        assert histogram.counts[ABOVE] == 1
        assert histogram.counts[ZERO] == 1


class TestLevels:
    def test_are_found_by_their_few_whole_values(self) -> None:
        assert kind_of([1.0, 2.0, -1.0, None]) == "level"
        assert kind_of(list(range(33))) == "numeric"
        assert kind_of([0.5, 1.0]) == "numeric"
        assert kind_of(["a", None]) == "level"
        assert kind_of([None]) == "numeric"

    def test_are_counted_by_name_whatever_number_type_carried_them(self) -> None:
        binning = learn("status", [-1, 0, 0, 2])
        histogram = Histogram()
        count(binning, [2.0, 2, 0, None, math.nan, "2", True, 1, 1.0, ABSENT_VALUE, REFUSED_VALUE], histogram)
        assert [histogram.level(binning, name) for name in ("-1", "0", "2", "1")] == [0, 1, 2, 2]
        assert histogram.unseen == {"true": 1, "1": 2}
        special = [NULL, NONFINITE, WRONG_TYPE, UNSEEN, ABSENT, REFUSED]
        assert histogram.counts[special].tolist() == [1, 1, 1, 3, 1, 1]

    def test_beyond_sixty_four_are_known_to_be_rare(self) -> None:
        names = [f"city {number}" for number in range(70)]
        binning = learn("city", [name for place, name in enumerate(names) for _ in range(100 - place)])
        histogram = Histogram()
        count(binning, [*names, "city 99"], histogram)
        assert histogram.counts[:BINS].tolist() == [1] * BINS
        assert histogram.counts[[RARE, UNSEEN]].tolist() == [6, 1]

    @pytest.mark.parametrize(
        "value", [79161234567, "4000009876543219", "anna@bank.ru", "Anna Ivanova", "Долгорукова-Крымская"]
    )
    def test_names_no_unseen_value_that_may_be_of_one_person(self, value: int | str) -> None:
        histogram = Histogram()
        count(learn("city", ["here"]), [value, "new"], histogram)
        assert histogram.unseen == {NOT_SHOWN: 1, "new": 1}

    def test_name_the_first_unseen_ones_only(self) -> None:
        binning = learn("status", [0, 1])
        histogram = Histogram()
        count(binning, list(range(2, 2 + NAMED_UNSEEN + 10)), histogram)
        assert list(histogram.unseen) == [str(level) for level in range(2, 2 + NAMED_UNSEEN)]
        assert histogram.counts[UNSEEN] == NAMED_UNSEEN + 10


levels = st.one_of(st.integers(-3, 60), st.text(max_size=3), st.none(), st.booleans())


class TestFold:
    @given(st.lists(st.one_of(rows, levels), max_size=120), st.lists(st.integers(0, 120), max_size=5), st.booleans())
    def test_gives_the_same_bytes_wherever_batches_are_cut(
        self, values: list[Value], cuts: list[int], codes: bool
    ) -> None:
        binning = learn("x", [0, 1, 2] if codes else [0.5, 100.25, -7.0, 0.0])
        whole = Histogram()
        count(binning, values, whole)
        pieces, merged = Histogram(), Histogram()
        borders = [0, *sorted(cuts), len(values)]
        for start, end in pairwise(borders):
            count(binning, values[start:end], pieces)
            part = Histogram()
            count(binning, values[start:end], part)
            merge(merged, part)
        # A part names its own first 32 levels; fewer are needed here, so merging loses none.
        assert pack(pieces) == pack(whole)
        if len(whole.unseen) < NAMED_UNSEEN:
            assert pack(merged) == pack(whole)

    @given(st.lists(st.one_of(rows, levels), max_size=60), st.booleans())
    def test_survives_packing(self, values: list[Value], codes: bool) -> None:
        binning = learn("x", [0, 1, 2] if codes else [0.5, 100.25, -7.0, 0.0])
        histogram = Histogram()
        count(binning, values, histogram)
        back = unpack(pack(histogram))
        assert back.counts.tolist() == histogram.counts.tolist()
        assert (back.total, back.least, back.most) == (histogram.total, histogram.least, histogram.most)
        assert list(back.unseen.items()) == list(histogram.unseen.items())
        assert [pack(one) for one in unpack_all(pack_all([histogram, back]))] == [pack(histogram)] * 2

    @pytest.mark.parametrize("largest", [255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53])
    def test_packs_any_size_of_count(self, largest: int) -> None:
        histogram = Histogram()
        histogram.counts[3] = largest
        histogram.total = -(2**90)
        assert unpack(pack(histogram)).counts[3] == largest
        assert unpack(pack(histogram)).total == -(2**90)
