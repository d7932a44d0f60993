"""Checks against scipy's binomial test, on small stories, and on the September recoding of the real panel."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import compute, parquet
from scipy import stats

from letopis.monitoring.input.checks import ALPHA, Breach, breaches, surprising
from letopis.monitoring.profile.binning import Binning, learn
from letopis.monitoring.profile.histogram import ABSENT_VALUE, REFUSED_VALUE, Histogram, Value, count

PANEL = Path(__file__).parents[4] / "e2e" / "data" / "credit_panel.parquet"


def counted(binning: Binning, values: Sequence[Value]) -> Histogram:
    histogram = Histogram()
    count(binning, values, histogram)
    return histogram


def judge(
    training: Sequence[float | None], window: Sequence[Value], before: Sequence[Value] | None = None
) -> tuple[Breach, ...]:
    binning = learn("x", training)
    previous = None if before is None else counted(binning, before)
    return breaches(binning, counted(binning, training), previous, counted(binning, window))


class TestSurprising:
    @given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 50), st.integers(50, 5000))
    def test_is_scipys_one_sided_binomial_test(self, of: int, rows: int, before: int, before_of: int) -> None:
        rows = min(rows, of)
        share = (before + 1) / (before_of + 1)
        expected = rows > 0 and share < 1 and stats.binomtest(rows, of, share, alternative="greater").pvalue < ALPHA
        assert surprising(rows, of, before, before_of) == expected


NUMBERS = [float(value) + 0.5 for value in range(1, 1001)]
CODES = [0.0] * 700 + [2.0] * 300


class TestFields:
    @pytest.mark.parametrize("gone", [None, ABSENT_VALUE, REFUSED_VALUE])
    def test_that_vanish_are_one_breach_and_no_other(self, gone: Value) -> None:
        """Checklist A13: a dropped column is told by name, in its first bucket."""
        for training in (NUMBERS, CODES):
            (found,) = judge(training, [gone] * 20)
            assert (found.check, found.old, found.new) == ("missing", 0, 20)
            assert found.text == "x missing: 0 -> 20 rows"

    def test_may_miss_a_value_as_often_as_in_training(self) -> None:
        training = [*[None] * 50, *NUMBERS[:950]]
        assert not judge(training, [*[None] * 12, *NUMBERS[:188]])
        assert judge(training, [*[None] * 60, *NUMBERS[:140]])[0].check == "missing"

    def test_that_turn_into_text_have_another_type(self) -> None:
        assert judge(NUMBERS, ["17.5"] * 20)[0].check == "wrong_type"
        assert judge(CODES, ["0"] * 20)[0].check == "wrong_type"
        assert judge(NUMBERS, ["n/a"] * 20)[0].check == "wrong_type"

    def test_that_are_not_numbers_are_told(self) -> None:
        window = [float("nan")] * 20 + NUMBERS[:200]
        assert judge(NUMBERS, window)[0].check == "not_finite"

    def test_as_in_training_are_no_breach(self) -> None:
        assert not judge(NUMBERS, NUMBERS[::3])
        assert not judge(CODES, CODES[::3])
        assert not judge(CODES, [])

    def test_with_one_value_only_are_constant(self) -> None:
        assert judge(NUMBERS, [17.5] * 50)[0].check == "constant"
        assert {one.check for one in judge(CODES, [0.0] * 500)} >= {"constant", "vanished"}
        assert not judge([3.0] * 100, [3.0] * 100)


class TestLevels:
    def test_that_are_new_jump(self) -> None:
        (found,) = judge(CODES, [1.0] * 30 + CODES[::10])
        assert (found.check, found.text) == ("level", "x code 1: 0 -> 30 rows")

    def test_that_jumped_before_are_told_once(self) -> None:
        recoded = [1.0] * 300 + CODES
        assert judge(CODES, recoded, before=CODES)
        assert not judge(CODES, recoded, before=recoded)

    def test_that_vanish_are_told(self) -> None:
        found = judge([0.0] * 800 + [1.0] * 100 + [2.0] * 100, [0.0] * 800 + [1.0] * 100)
        assert [(one.check, one.text) for one in found] == [("vanished", "x code 2: 100 -> 0 rows")]

    def test_that_come_a_little_more_often_are_left_to_drift(self) -> None:
        assert not judge(CODES, [0.0] * 500 + [2.0] * 500)


class TestPanel:
    """The real panel, bucket by bucket, as the service will see it."""

    @pytest.mark.parametrize("accounts", [2_000, 30_000])
    def test_only_september_breaks_the_contract_and_says_which_code(self, accounts: int) -> None:
        table = parquet.read_table(PANEL)
        table = table.filter(compute.less_equal(table["account_id"], accounts))
        names = ["status", "bill", "paid", "utilisation", "limit_amount", "age", "sex", "education", "marriage"]
        months = {
            month: table.filter(compute.equal(table["month"], date(2005, month, 1))).select(names).to_pydict()
            for month in range(4, 10)
        }
        found = {}
        for name in names:
            binning = learn(name, months[4][name])
            seen = {month: counted(binning, months[month][name]) for month in months}
            for month in range(5, 10):
                previous = seen[month - 1] if month > 5 else None
                for one in breaches(binning, seen[4], previous, seen[month]):
                    found[month, name, one.check] = one.text
        assert set(found) == {(9, "status", "level")}
        if accounts == 30_000:
            assert found[9, "status", "level"] == "status code 1: 28 -> 3,688 rows"
