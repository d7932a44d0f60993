"""When a ledger's sealing stops and when it may go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from letopis.audit.incident.events import (
    FACTS,
    Continuation,
    ContinuationApproved,
    ContinuationRequested,
    IncidentClosed,
    IncidentFact,
    IncidentOpened,
    Kind,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContinuation:
    ledger: str
    how: Continuation
    reason: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveContinuation:
    ledger: str
    how: Continuation
    person: str
    at: datetime


Command = OpenIncident | CloseIncident | RequestContinuation | ApproveContinuation

# After these nobody may go on alone: a fork of the log would look just so.
FOUR_EYES: frozenset[Kind] = frozenset({"restored", "owner_restored", "lock"})


class NothingOpen(Refused):
    """The ledger has no open incident."""

    code = "incident.nothing_open"
    title = "There is no open incident of this ledger"


class CommentMissing(Refused):
    """An incident is closed with the finding in words."""

    code = "incident.comment_missing"
    title = "Say in a comment what was found"


class FourEyesNeeded(Refused):
    """A restored ledger is not closed by one person."""

    code = "incident.four_eyes"
    title = "A backup was restored: one person requests that the ledger goes on, another approves"


class NotRestored(Refused):
    """The incident is of another kind."""

    code = "incident.not_restored"
    title = "This incident is no restored backup; close it with a comment"


class NothingRequested(Refused):
    """There is no request to approve."""

    code = "incident.nothing_requested"
    title = "Nobody has requested that this ledger goes on; request it first"


class SamePerson(Refused):
    """Who requests does not approve."""

    code = "incident.same_person"
    title = "Who requested it does not approve it; ask a second person"


class FoundOtherwise(Refused):
    """What is lost has changed since the request: more was copied meanwhile, or less is there."""

    code = "incident.found_otherwise"
    title = "The copy is not as it was when this was requested; read what is found now and request it again"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The ledger is copied and sealed; `continued` is how it last went on after a restore."""

    continued: ContinuationApproved | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """The ledger stands still."""

    kind: Kind
    position: int
    continued: ContinuationApproved | None = None
    requested: ContinuationRequested | None = None


State = Quiet | Open


def open_incident(state: State, command: OpenIncident) -> Sequence[IncidentFact]:
    """The same finding again is no news."""
    if isinstance(state, Open) and (state.kind, state.position) == (command.kind, command.position):
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
    if state.kind in FOUR_EYES:
        raise FourEyesNeeded
    if not command.comment.strip():
        raise CommentMissing
    return [IncidentClosed(ledger=command.ledger, person=command.person, comment=command.comment, at=command.at)]


def request(state: State, command: RequestContinuation) -> Sequence[IncidentFact]:
    """A new request takes the place of one that nobody approved."""
    if isinstance(state, Quiet):
        raise NothingOpen
    if state.kind not in FOUR_EYES:
        raise NotRestored
    if not command.reason.strip():
        raise CommentMissing
    return [
        ContinuationRequested(
            ledger=command.ledger,
            kind=state.kind,
            how=command.how,
            reason=command.reason,
            person=command.person,
            at=command.at,
        )
    ]


def approve(state: State, command: ApproveContinuation) -> Sequence[IncidentFact]:
    if isinstance(state, Quiet):
        raise NothingOpen
    if (asked := state.requested) is None:
        raise NothingRequested
    if asked.person == command.person:
        raise SamePerson
    if asked.how != command.how:
        raise FoundOtherwise(f"requested at {asked.how.kept} of {asked.how.sealed}, found now {command.how.kept}")
    return [
        ContinuationApproved(
            ledger=command.ledger,
            how=asked.how,
            reason=asked.reason,
            requested_by=asked.person,
            person=command.person,
            at=command.at,
        )
    ]


def decide(state: State, command: Command) -> Sequence[IncidentFact]:
    match command:
        case OpenIncident():
            return open_incident(state, command)
        case CloseIncident():
            return close(state, command)
        case RequestContinuation():
            return request(state, command)
        case ApproveContinuation():
            return approve(state, command)


def evolve(state: State, fact: IncidentFact) -> State:
    match fact:
        case IncidentOpened():
            return Open(fact.kind, fact.position, state.continued)
        case IncidentClosed():
            return Quiet(state.continued)
        case ContinuationRequested():
            return replace(state, requested=fact) if isinstance(state, Open) else state
        case ContinuationApproved():
            return Quiet(fact)


INCIDENT = Aggregate("incident", Decider[Command, IncidentFact, State](Quiet(), decide, evolve), FACTS)
