"""When a subject may be erased: asked for by one person, agreed to by another, and never under a legal hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from letopis.audit.subject.events import (
    FACTS,
    ErasureApproved,
    ErasureCertified,
    ErasureRejected,
    ErasureRequested,
    HoldLifted,
    HoldPlaced,
    SubjectFact,
    SubjectKeyDestroyed,
    SubjectSearched,
)
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import NotFound, Refused


class UnderHold(Refused):
    """The law or a dispute needs the data."""

    code = "subject.under_hold"
    title = "A legal hold stands on this subject; nothing is erased until it is lifted"


class NoHold(Refused):
    """There is nothing to lift."""

    code = "subject.no_hold"
    title = "No legal hold stands on this subject"


class ReasonMissing(Refused):
    """Holds and erasures are explained."""

    code = "subject.reason_missing"
    title = "Say in a few words why, without naming the person"


class ErasureUnderWay(Refused):
    """One erasure at a time."""

    code = "subject.erasure_under_way"
    title = "An erasure of this subject is under way already"


class NotRequested(Refused):
    """There is no such request waiting."""

    code = "subject.erasure_not_requested"
    title = "No erasure of this number waits for a decision"


class OwnRequest(Refused):
    """Four eyes."""

    code = "subject.own_request"
    title = "Who asked for the erasure does not approve it; ask a second person"


class NotErased(NotFound):
    """Nothing to certify."""

    code = "subject.not_erased"
    title = "No such erasure has been carried out"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSearch:
    subject: str
    found: Mapping[str, int]
    positions: Mapping[str, int]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold:
    subject: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftHold:
    subject: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestErasure:
    subject: str
    erasure_id: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectErasure:
    subject: str
    erasure_id: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveErasure:
    subject: str
    erasure_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDestroyed:
    """The key store destroyed these; `erasure_id` "" stands for the last erasure."""

    subject: str
    erasure_id: str
    key_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyErasure:
    subject: str
    erasure_id: str
    sha256: str
    by: str


Hold = PlaceHold | LiftHold
Erasure = RequestErasure | RejectErasure | ApproveErasure
SubjectCommand = RecordSearch | Hold | Erasure | RecordDestroyed | CertifyErasure


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An erasure that waits for a second person, or for the key store."""

    erasure_id: str
    by: str
    approved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """`held`: a legal hold stands; `erased`: the erasures carried out, each with the keys it destroyed."""

    held: bool = False
    asked: Asked | None = None
    erased: tuple[tuple[str, tuple[str, ...]], ...] = ()


def hold(state: Subject, command: Hold) -> Sequence[SubjectFact]:
    if not command.reason.strip():
        raise ReasonMissing
    told: dict[str, Any] = {"subject": command.subject, "reason": command.reason, "by": command.by, "at": command.at}
    match command:
        case PlaceHold():
            if state.asked is not None and state.asked.approved:
                raise ErasureUnderWay("the erasure is approved; its keys are being destroyed")
            return [] if state.held else [HoldPlaced(**told)]
        case LiftHold():
            if not state.held:
                raise NoHold
            return [HoldLifted(**told)]


def erase(state: Subject, command: Erasure) -> Sequence[SubjectFact]:
    told: dict[str, Any] = {
        "subject": command.subject,
        "erasure_id": command.erasure_id,
        "by": command.by,
        "at": command.at,
    }
    if not isinstance(command, ApproveErasure) and not command.reason.strip():
        raise ReasonMissing
    if isinstance(command, RequestErasure):
        if state.held:
            raise UnderHold
        if state.asked is not None:
            raise ErasureUnderWay
        return [ErasureRequested(**told, reason=command.reason)]
    if state.asked is None or state.asked.erasure_id != command.erasure_id or state.asked.approved:
        raise NotRequested
    if isinstance(command, RejectErasure):
        return [ErasureRejected(**told, reason=command.reason)]
    if state.asked.by == command.by:
        raise OwnRequest
    if state.held:
        raise UnderHold
    return [ErasureApproved(**told)]


def destroyed(state: Subject, command: RecordDestroyed) -> Sequence[SubjectFact]:
    """Nothing is told twice; keys that turn up after the last erasure belong to it."""
    known = {id for _, ids in state.erased for id in ids}
    fresh = tuple(id for id in command.key_ids if id not in known)
    waits = state.asked is not None and state.asked.approved and state.asked.erasure_id == command.erasure_id
    done = [one for one, _ in state.erased]
    erasure_id = command.erasure_id or (done[-1] if done else "")
    if not waits and (not fresh or erasure_id not in done):
        return []
    return [SubjectKeyDestroyed(subject=command.subject, erasure_id=erasure_id, key_ids=fresh, at=command.at)]


def decide(state: Subject, command: SubjectCommand) -> Sequence[SubjectFact]:
    match command:
        case RecordSearch():
            found, reached = dict(command.found), dict(command.positions)
            return [SubjectSearched(subject=command.subject, found=found, positions=reached, by=command.by)]
        case PlaceHold() | LiftHold():
            return hold(state, command)
        case RequestErasure() | RejectErasure() | ApproveErasure():
            return erase(state, command)
        case RecordDestroyed():
            return destroyed(state, command)
        case CertifyErasure():
            if command.erasure_id not in {one for one, _ in state.erased}:
                raise NotErased
            told = {"subject": command.subject, "erasure_id": command.erasure_id}
            return [ErasureCertified(**told, sha256=command.sha256, by=command.by)]


def evolve(state: Subject, fact: SubjectFact) -> Subject:
    match fact:
        case HoldPlaced():
            return replace(state, held=True)
        case HoldLifted():
            return replace(state, held=False)
        case ErasureRequested():
            return replace(state, asked=Asked(erasure_id=fact.erasure_id, by=fact.by))
        case ErasureRejected():
            return replace(state, asked=None)
        case ErasureApproved():
            return replace(state, asked=replace(state.asked, approved=True) if state.asked is not None else None)
        case SubjectKeyDestroyed():
            ended = state.asked is not None and state.asked.erasure_id == fact.erasure_id
            erased = (*state.erased, (fact.erasure_id, fact.key_ids))
            return replace(state, erased=erased, asked=None if ended else state.asked)
        case SubjectSearched() | ErasureCertified():
            return state


SUBJECT = Aggregate("subject", Decider[SubjectCommand, SubjectFact, Subject](Subject(), decide, evolve), FACTS)
