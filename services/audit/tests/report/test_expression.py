"""The language of definitions: what it says, and that it can do nothing else."""

from datetime import UTC, datetime, timedelta
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.audit.report.expression import BadExpression, compiled, hours, quantile, workdays

ROW = {"a": 3, "b": None, "names": ["x", "y"], "inner": {"deep": {"er": "z"}}, "at": "2026-05-17T10:00:00.000000Z"}


class TestExpression:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("a + 1", 4), ("b + 1", None), ("b > 1", False), ("a >= 3 and 'x' in names", True),
            ("b or names", ["x", "y"]),
            ("not filled(b)", True),
            ("inner.deep.er", "z"), ("inner.no.where", None), ("quarter(at)", "2026-Q2"),
            ("[one + '!' for one in names if one != 'x']", ["y!"]), ("'none' if b == None else b", "none"),
            ("most([1, None, 7])", 7), ("median([])", None), ("share(1, 3)", 0.3333), ("count(b)", 0), ("day(b)", None),
        ],
    )  # fmt: skip
    def test_says(self, text, value):
        assert compiled(text)(ROW) == value

    @pytest.mark.parametrize(
        "text",
        [
            "__import__('os')", "a.__class__()", "names[0]", "lambda: 1", "a ** 9 ** 9", "'x' * 9 if (a := 1) else 0",
            "open('x')", "filled(*names)", "filled(value=1)", "[x for x in a for y in x]", "f'{a}'", "1 < a < 3", "a;b",
            "{**inner}", "b''", "x" * 601,
        ],
    )  # fmt: skip
    def test_refuses(self, text):
        with pytest.raises(BadExpression):
            compiled(text)

    @given(st.text(max_size=60))
    def test_any_text_is_an_expression_or_refused(self, text):
        try:
            told = compiled(text)
        except BadExpression:
            return
        assert callable(told)


class TestTimes:
    @given(
        st.integers(0, 7 * 366 * 24 * 60).map(
            lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        ),
        st.integers(0, 40 * 24 * 60),
    )
    def test_working_days_are_those_counted_minute_by_minute(self, start, minutes):
        end = start + timedelta(minutes=minutes)
        counted = sum((start + timedelta(minutes=at)).weekday() < 5 for at in range(minutes))
        assert workdays(start.isoformat(), end.isoformat()) == round(counted / 1440, 3)

    def test_hours_are_between(self):
        assert hours("2026-01-01T00:00:00Z", "2026-01-02T06:30:00.000000Z") == 30.5
        assert hours(None, "2026-01-01") is None

    @given(st.lists(st.integers(), min_size=2, max_size=50))
    def test_ninth_decile_is_at_least_that_of_a_library_among_the_values(self, values):
        found = quantile(values, 0.9)
        assert found in values
        assert sum(one <= found for one in values) >= 0.9 * len(values)
        assert found <= max(values)
        assert quantile(values, 0.5) <= max(quantiles(values, n=2)[0], found)
