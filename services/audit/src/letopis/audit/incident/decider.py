"""When a ledger's sealing stops and when it may go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.audit.incident.events import FACTS, IncidentClosed, IncidentFact, IncidentOpened, Kind
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    ledger: str
    kind: Kind
    position: int
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident:
    ledger: str
    person: str
    comment: str
    at: datetime


Command = OpenIncident | CloseIncident


class NothingOpen(Refused):
    """The ledger has no open incident."""

    code = "incident.nothing_open"
    title = "There is no open incident of this ledger"


class CommentMissing(Refused):
    """An incident is closed with the finding in words."""

    code = "incident.comment_missing"
    title = "Say in a comment what was found"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The ledger is copied and sealed."""


@dataclass(frozen=True, slots=True)
class Open:
    """The ledger stands still."""

    kind: Kind
    position: int


State = Quiet | Open


def open_incident(state: State, command: OpenIncident) -> Sequence[IncidentFact]:
    """The same finding again is no news."""
    if state == Open(command.kind, command.position):
        return []
    return [
        IncidentOpened(
            ledger=command.ledger,
            kind=command.kind,
            position=command.position,
            detail=command.detail,
            at=command.at,
        )
    ]


def close(state: State, command: CloseIncident) -> Sequence[IncidentFact]:
    if isinstance(state, Quiet):
        raise NothingOpen
    if not command.comment.strip():
        raise CommentMissing
    return [IncidentClosed(ledger=command.ledger, person=command.person, comment=command.comment, at=command.at)]


def decide(state: State, command: Command) -> Sequence[IncidentFact]:
    match command:
        case OpenIncident():
            return open_incident(state, command)
        case CloseIncident():
            return close(state, command)


def evolve(_state: State, fact: IncidentFact) -> State:
    match fact:
        case IncidentOpened():
            return Open(fact.kind, fact.position)
        case IncidentClosed():
            return Quiet()


INCIDENT = Aggregate("incident", Decider[Command, IncidentFact, State](Quiet(), decide, evolve), FACTS)
