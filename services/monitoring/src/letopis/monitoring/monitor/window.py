"""Buckets of time: calendar months, or any number of seconds counted from 1970."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR = 365.25 * 86_400


def bucket_of(window_seconds: int | None, moment: datetime) -> datetime:
    """The start, in UTC, of the bucket that holds a moment; None means calendar months."""
    moment = moment.astimezone(UTC)
    if window_seconds is None:
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    passed = (moment - EPOCH) // timedelta(seconds=window_seconds)
    return EPOCH + passed * timedelta(seconds=window_seconds)


def bucket_text(window_seconds: int | None, start: datetime) -> str:
    """A bucket as people read it: 2005-09, 2005-09-17, or its first second."""
    start = start.astimezone(UTC)
    if window_seconds is None:
        return start.strftime("%Y-%m")
    return start.strftime("%Y-%m-%d" if window_seconds % 86_400 == 0 else "%Y-%m-%dT%H:%M:%SZ")


def buckets_a_year(window_seconds: int | None) -> float:
    return 12.0 if window_seconds is None else YEAR / window_seconds
