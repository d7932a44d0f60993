"""Periods of the calendar, pure: the last one that is over, and what is due."""

from datetime import date, datetime, timedelta

from letopis.audit.schedule.events import Every

Period = tuple[date, date]


def period_of(every: Every, day: date) -> Period:
    """The first and last day of the day, week (Monday to Sunday), month or quarter that a day lies in."""
    match every:
        case "day":
            return day, day
        case "week":
            first = day - timedelta(days=day.weekday())
            return first, first + timedelta(days=6)
        case "month":
            first = day.replace(day=1)
            return first, _next_month(first) - timedelta(days=1)
        case "quarter":
            first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
            return first, _next_month(_next_month(_next_month(first))) - timedelta(days=1)


def due(every: Every, since: date, now: datetime) -> Period | None:
    """The first period that ends on `since` or later and is over now (UTC); None while none is."""
    period = period_of(every, since)
    return period if period[1] < now.date() else None


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
