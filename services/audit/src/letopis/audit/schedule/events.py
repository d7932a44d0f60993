"""What is known of a schedule of reports."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Every = Literal["day", "week", "month", "quarter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSet:
    """A report of this type is issued after every day, week, month or quarter (UTC), about that time."""

    schedule_id: str
    type: str
    every: Every
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStopped:
    schedule_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFulfilled:
    """The report of a period lies where it is fetched; digests by the name of the file."""

    schedule_id: str
    first_day: date
    last_day: date
    report_id: str
    place: str
    files: dict[str, str]


ScheduleFact = ScheduleSet | ScheduleStopped | ScheduleFulfilled

FACTS = Catalogue(
    [
        ("audit.schedule.set", 1, ScheduleSet),
        ("audit.schedule.stopped", 1, ScheduleStopped),
        ("audit.schedule.fulfilled", 1, ScheduleFulfilled),
    ]
)
