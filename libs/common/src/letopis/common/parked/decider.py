"""Releasing a parked fact: one person asks, another agrees to exactly that; that they are two is policy's rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.common.parked.events import ReleaseAgreed, ReleaseAsked, Way, parked_facts


class NothingAsked(Refused):
    """There is no request to agree to."""

    code = "parked.nothing_asked"
    title = "Nobody has asked for this fact to be released; ask first, then let a second person agree"


class OtherWayAsked(Refused):
    """The request was changed after it was read."""

    code = "parked.other_way"
    title = "Something else was asked meanwhile; read the request again"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRelease:
    parked_id: str
    reaction: str
    ledger: str
    position: int
    stream: str
    type: str
    event_id: str
    way: Way
    reason: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeRelease:
    way: Way
    person: str


ReleaseCommand = AskRelease | AgreeRelease
ReleaseFact = ReleaseAsked | ReleaseAgreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Nothing is asked now: nobody has, or what was asked has been agreed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Waiting for a second person."""

    by: ReleaseAsked


ReleaseState = Settled | Asked


def ask(command: AskRelease) -> Sequence[ReleaseFact]:
    """A new request takes the place of one that nobody agreed to."""
    return [
        ReleaseAsked(
            parked_id=command.parked_id,
            reaction=command.reaction,
            ledger=command.ledger,
            position=command.position,
            stream=command.stream,
            type=command.type,
            event_id=command.event_id,
            way=command.way,
            reason=command.reason,
            person=command.person,
        )
    ]


def agree(state: ReleaseState, command: AgreeRelease) -> Sequence[ReleaseFact]:
    if isinstance(state, Settled):
        raise NothingAsked
    asked = state.by
    if asked.way != command.way:
        raise OtherWayAsked(f"{asked.person} asks to {asked.way} it, not to {command.way}")
    return [
        ReleaseAgreed(
            parked_id=asked.parked_id,
            reaction=asked.reaction,
            ledger=asked.ledger,
            position=asked.position,
            stream=asked.stream,
            type=asked.type,
            event_id=asked.event_id,
            way=asked.way,
            reason=asked.reason,
            asked_by=asked.person,
            person=command.person,
        )
    ]


def decide(state: ReleaseState, command: ReleaseCommand) -> Sequence[ReleaseFact]:
    match command:
        case AskRelease():
            return ask(command)
        case AgreeRelease():
            return agree(state, command)


def evolve(_: ReleaseState, fact: ReleaseFact) -> ReleaseState:
    match fact:
        case ReleaseAsked():
            return Asked(by=fact)
        case ReleaseAgreed():
            return Settled()


def release(ledger: str) -> Aggregate[ReleaseCommand, ReleaseFact, ReleaseState]:
    """The aggregate in a service's own ledger; one object a parked fact."""
    decider = Decider[ReleaseCommand, ReleaseFact, ReleaseState](Settled(), decide, evolve)
    return Aggregate("parked", decider, parked_facts(ledger))
