"""The emergencies of one model: asked for by one person, opened by another, over in hours, reviewed by a third.

A model has one at a time, and owes the review of the last before it may have another. That an ordinary promotion
waits for the review too is policy's, which is told `unreviewed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.break_glass.events import (
    FACTS,
    BreakGlassFact,
    BreakGlassLapsed,
    BreakGlassOpened,
    BreakGlassRequested,
    BreakGlassReviewed,
)

LONGEST = timedelta(hours=24)


class EmergencyUnknown(Refused):
    """Nothing was asked for under this id, or it is not at this stage."""

    code = "break_glass.unknown"
    title = "There is no such emergency at this stage; read the model's emergencies again"


class ReviewOwed(Refused):
    """The last one is not reviewed."""

    code = "break_glass.review_owed"
    title = "The last emergency of this model is not reviewed; have it reviewed first"


class SamePerson(Refused):
    """Two people break the glass."""

    code = "break_glass.same_person"
    title = "The person who asked, or who made the version, cannot agree; ask another risk or security officer"


class RequestOver(Refused):
    """Nobody agreed in time."""

    code = "break_glass.over"
    title = "Nobody agreed within a day; ask anew if it still is an emergency"


class ReviewerInvolved(Refused):
    """Who took part does not judge it."""

    code = "break_glass.reviewer_involved"
    title = "Who asked for an emergency or agreed to it cannot review it; ask somebody else"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBreakGlass:
    break_glass_id: str
    model_id: str
    version_id: str
    version_digest: str
    reason: str
    hours: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmBreakGlass:
    break_glass_id: str
    author: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseBreakGlass:
    break_glass_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBreakGlass:
    break_glass_id: str
    outcome: Literal["justified", "unjustified"]
    findings: str
    by: str


BreakGlassCommand = RequestBreakGlass | ConfirmBreakGlass | LapseBreakGlass | ReviewBreakGlass


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergencies:
    """What waits for a second person, what owes its review, and whose hours are not over, reviewed or not."""

    asked: BreakGlassRequested | None = None
    opened: BreakGlassOpened | None = None
    running: tuple[BreakGlassOpened, ...] = ()

    @property
    def unreviewed(self) -> bool:
        return self.opened is not None


def request(state: Emergencies, command: RequestBreakGlass) -> Sequence[BreakGlassFact]:
    if state.opened is not None:
        raise ReviewOwed
    return [
        BreakGlassRequested(
            break_glass_id=command.break_glass_id,
            model_id=command.model_id,
            version_id=command.version_id,
            version_digest=command.version_digest,
            reason=command.reason,
            hours=command.hours,
            by=command.by,
            at=command.at,
        )
    ]


def confirm(state: Emergencies, command: ConfirmBreakGlass) -> Sequence[BreakGlassFact]:
    asked = state.asked
    if asked is None or asked.break_glass_id != command.break_glass_id:
        raise EmergencyUnknown
    if command.by in {asked.by, command.author}:
        raise SamePerson
    if command.at - asked.at > LONGEST:
        raise RequestOver
    return [
        BreakGlassOpened(
            break_glass_id=asked.break_glass_id,
            model_id=asked.model_id,
            version_id=asked.version_id,
            version_digest=asked.version_digest,
            reason=asked.reason,
            requested_by=asked.by,
            confirmed_by=command.by,
            until=command.at + min(timedelta(hours=asked.hours), LONGEST),
        )
    ]


def lapse(state: Emergencies, command: LapseBreakGlass) -> Sequence[BreakGlassFact]:
    over = [one for one in state.running if one.break_glass_id == command.break_glass_id and one.until <= command.at]
    return [
        BreakGlassLapsed(break_glass_id=one.break_glass_id, model_id=one.model_id, version_id=one.version_id)
        for one in over
    ]


def review(state: Emergencies, command: ReviewBreakGlass) -> Sequence[BreakGlassFact]:
    opened = state.opened
    if opened is None or opened.break_glass_id != command.break_glass_id:
        raise EmergencyUnknown
    if command.by in {opened.requested_by, opened.confirmed_by}:
        raise ReviewerInvolved
    reviewed = BreakGlassReviewed(
        break_glass_id=opened.break_glass_id,
        model_id=opened.model_id,
        version_id=opened.version_id,
        outcome=command.outcome,
        findings=command.findings,
        by=command.by,
    )
    return [reviewed]


def decide(state: Emergencies, command: BreakGlassCommand) -> Sequence[BreakGlassFact]:
    match command:
        case RequestBreakGlass():
            return request(state, command)
        case ConfirmBreakGlass():
            return confirm(state, command)
        case LapseBreakGlass():
            return lapse(state, command)
        case ReviewBreakGlass():
            return review(state, command)


def evolve(state: Emergencies, fact: BreakGlassFact) -> Emergencies:
    match fact:
        case BreakGlassRequested():
            return replace(state, asked=fact)
        case BreakGlassOpened():
            return replace(state, asked=None, opened=fact, running=(*state.running, fact))
        case BreakGlassLapsed(break_glass_id=over):
            return replace(state, running=tuple(one for one in state.running if one.break_glass_id != over))
        case BreakGlassReviewed():
            return replace(state, opened=None)


BREAK_GLASS = Aggregate(
    "break_glass", Decider[BreakGlassCommand, BreakGlassFact, Emergencies](Emergencies(), decide, evolve), FACTS
)
