"""An alert is an episode: opened by a finding, continued by later ones, acknowledged and resolved by people.

Findings may be told again and in any order (evaluation repeats itself after a restart): what was told, or lies before
the last bucket that was told, changes nothing, so a resolved alert does not come back for an old bucket.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.monitoring.alert.events import (
    FACTS,
    AlertAcknowledged,
    AlertContinued,
    AlertFact,
    AlertOpened,
    AlertResolved,
    Finding,
    Verdict,
)

# The space in which alert ids are derived, so that the same finding meets the same stream.
ALERTS = UUID("8a2f8f0e-3d0c-5a57-9b7e-0f6f4a1c2d3e")
# Numbers of a bucket that still fills are told again when it has grown by a tenth.
GROWN = 1.1


class AlertUnknown(Refused):
    """Nothing was found under this id."""

    code = "alert.unknown"
    title = "There is no such alert"


class AlertOver(Refused):
    """The episode was resolved."""

    code = "alert.resolved"
    title = "This alert was resolved"


class AlertTaken(Refused):
    """Somebody acknowledged it before."""

    code = "alert.acknowledged"
    title = "This alert was acknowledged before"


class CommentMissing(Refused):
    """A resolution without a reason explains nothing years later."""

    code = "alert.comment_missing"
    title = "Say in the comment why the alert is resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert:
    model_id: str
    version_id: str
    finding: Finding
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert:
    person: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveAlert:
    person: str
    verdict: Verdict
    comment: str
    at: datetime


AlertCommand = RaiseAlert | AcknowledgeAlert | ResolveAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    alert_id: str
    episode: int
    bucket_start: datetime
    rows: int
    severity: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    alert_id: str
    episode: int
    bucket_start: datetime


Alert = Silent | Open | Closed


def alert_id(version_id: str, finding: Finding) -> str:
    """The stream of one check on one thing of one version."""
    return str(uuid5(ALERTS, f"{version_id}\n{finding.kind}\n{finding.check}\n{finding.feature}\n{finding.level}"))


def raise_alert(state: Alert, command: RaiseAlert) -> Sequence[AlertFact]:
    found = command.finding
    match state:
        case Silent():
            return [_opened(command, 1)]
        case Closed() if found.bucket_start > state.bucket_start:
            return [_opened(command, state.episode + 1)]
        case Open() if _news(state, found):
            return [
                AlertContinued(
                    alert_id=state.alert_id,
                    episode=state.episode,
                    bucket=found.bucket,
                    bucket_start=found.bucket_start,
                    severity=found.severity,
                    text=found.text,
                    old=found.old,
                    new=found.new,
                    old_rows=found.old_rows,
                    new_rows=found.new_rows,
                    at=command.at,
                )
            ]
        case _:
            return []


def decide(state: Alert, command: AlertCommand) -> Sequence[AlertFact]:
    match state, command:
        case _, RaiseAlert():
            return raise_alert(state, command)
        case Silent(), _:
            raise AlertUnknown
        case Closed(), _:
            raise AlertOver
        case Open(taken=True), AcknowledgeAlert():
            raise AlertTaken
        case Open(), AcknowledgeAlert():
            return [
                AlertAcknowledged(
                    alert_id=state.alert_id,
                    episode=state.episode,
                    person=command.person,
                    comment=command.comment,
                    at=command.at,
                )
            ]
        case Open(), ResolveAlert():
            if not command.comment.strip():
                raise CommentMissing
            return [
                AlertResolved(
                    alert_id=state.alert_id,
                    episode=state.episode,
                    person=command.person,
                    verdict=command.verdict,
                    comment=command.comment,
                    at=command.at,
                )
            ]


def evolve(state: Alert, fact: AlertFact) -> Alert:
    match fact:
        case AlertOpened() | AlertContinued():
            return Open(
                alert_id=fact.alert_id,
                episode=fact.episode,
                bucket_start=fact.bucket_start,
                rows=fact.new_rows,
                severity=fact.severity,
                taken=isinstance(state, Open) and state.taken,
            )
        case AlertAcknowledged():
            return replace(state, taken=True) if isinstance(state, Open) else state
        case AlertResolved():
            if not isinstance(state, Open):
                return state
            return Closed(alert_id=state.alert_id, episode=state.episode, bucket_start=state.bucket_start)


def _news(state: Open, found: Finding) -> bool:
    if found.bucket_start == state.bucket_start:
        worse = found.severity == "critical" and state.severity != "critical"
        return worse or found.new_rows >= GROWN * state.rows
    return found.bucket_start > state.bucket_start


def _opened(command: RaiseAlert, episode: int) -> AlertOpened:
    found = command.finding
    return AlertOpened(
        alert_id=alert_id(command.version_id, found),
        episode=episode,
        model_id=command.model_id,
        version_id=command.version_id,
        kind=found.kind,
        check=found.check,
        feature=found.feature,
        level=found.level,
        bucket=found.bucket,
        bucket_start=found.bucket_start,
        severity=found.severity,
        text=found.text,
        measure=found.measure,
        old=found.old,
        new=found.new,
        old_rows=found.old_rows,
        new_rows=found.new_rows,
        at=command.at,
    )


ALERT = Aggregate("alert", Decider[AlertCommand, AlertFact, Alert](Silent(), decide, evolve), FACTS)
