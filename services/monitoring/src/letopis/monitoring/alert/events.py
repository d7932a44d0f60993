"""What is known of an alert: an episode of one check on one thing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Kind = Literal["contract", "drift", "quality"]
Severity = Literal["major", "critical"]
Verdict = Literal["confirmed", "false_alarm", "accepted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an evaluation saw: which check on what, in which bucket, one line for people, and the numbers.

    `measure` says what `old` and `new` are: rows, psi, mean or gini; `old_rows` and `new_rows` are what they rest on.
    """

    kind: Kind
    check: str
    feature: str
    level: str
    bucket: str
    bucket_start: datetime
    severity: Severity
    text: str
    measure: str
    old: float
    new: float
    old_rows: int
    new_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOpened:
    """The first time, or again after it was resolved (`episode` counts)."""

    alert_id: str
    episode: int
    model_id: str
    version_id: str
    kind: Kind
    check: str
    feature: str
    level: str
    bucket: str
    bucket_start: datetime
    severity: Severity
    text: str
    measure: str
    old: float
    new: float
    old_rows: int
    new_rows: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContinued:
    """The same in a later bucket, or in the same with clearly more rows."""

    alert_id: str
    episode: int
    bucket: str
    bucket_start: datetime
    severity: Severity
    text: str
    old: float
    new: float
    old_rows: int
    new_rows: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged:
    alert_id: str
    episode: int
    person: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResolved:
    alert_id: str
    episode: int
    person: str
    verdict: Verdict
    comment: str
    at: datetime


AlertFact = AlertOpened | AlertContinued | AlertAcknowledged | AlertResolved

FACTS = Catalogue(
    [
        ("monitoring.alert.opened", 1, AlertOpened),
        ("monitoring.alert.continued", 1, AlertContinued),
        ("monitoring.alert.acknowledged", 1, AlertAcknowledged),
        ("monitoring.alert.resolved", 1, AlertResolved),
    ]
)
