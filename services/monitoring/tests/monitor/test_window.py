"""Buckets of time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.monitoring.monitor.window import bucket_of, bucket_text, buckets_a_year

moments = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 bounds


class TestBucketOf:
    @given(moments, st.integers(1, 100_000_000))
    def test_holds_its_moment(self, moment: datetime, seconds: int) -> None:
        start = bucket_of(seconds, moment)
        assert start <= moment < start + timedelta(seconds=seconds)
        assert bucket_of(seconds, start) == start

    @given(moments)
    def test_of_months_starts_with_the_month(self, moment: datetime) -> None:
        start = bucket_of(None, moment)
        assert (start.year, start.month, start.day, start.hour) == (moment.year, moment.month, 1, 0)

    def test_counts_in_utc(self) -> None:
        moscow = timezone(timedelta(hours=3))
        assert bucket_of(None, datetime(2005, 9, 1, 2, 59, tzinfo=moscow)) == datetime(2005, 8, 1, tzinfo=UTC)


class TestBucketText:
    @pytest.mark.parametrize(
        ("seconds", "text"), [(None, "2005-09"), (86_400, "2005-09-17"), (300, "2005-09-17T10:05:00Z")]
    )
    def test_is_as_fine_as_the_bucket(self, seconds: int | None, text: str) -> None:
        moment = datetime(2005, 9, 17, 10, 7, 8, tzinfo=UTC)
        assert bucket_text(seconds, bucket_of(seconds, moment)) == text

    def test_a_year_has_so_many(self) -> None:
        assert buckets_a_year(None) == 12
        assert buckets_a_year(86_400) == 365.25
