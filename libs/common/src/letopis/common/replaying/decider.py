"""A replay: asked for once, finished once."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.common.replaying.events import ReplayAsked, ReplayFinished, replay_facts

MOST = 1_000_000


class EmptyRange(Refused):
    """Nothing can be told again."""

    code = "replay.empty"
    title = "There are no facts in this range; look at the ledger's head and at the times"


class RangeTooLarge(Refused):
    """More than the subscriber's stream should hold."""

    code = "replay.too_large"
    title = "A replay holds at most 1,000,000 positions; ask for parts, one after another"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReplay:
    replay_id: str
    subscriber: str
    ledger: str
    types: tuple[str, ...]
    first: int
    last: int
    subject: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReplay:
    replay_id: str
    published: int


ReplayCommand = AskReplay | FinishReplay
ReplayFact = ReplayAsked | ReplayFinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """Nobody has asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Asked for, and not at its end."""

    asked: ReplayAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All of it stands in the subject."""

    asked: ReplayAsked
    published: int


ReplayState = Unasked | Running | Finished


def ask(command: AskReplay) -> Sequence[ReplayFact]:
    if command.last < command.first:
        raise EmptyRange
    if command.last - command.first >= MOST:
        raise RangeTooLarge(f"{command.first} to {command.last} are more than {MOST:,} positions")
    return [
        ReplayAsked(
            replay_id=command.replay_id,
            subscriber=command.subscriber,
            ledger=command.ledger,
            types=command.types,
            first=command.first,
            last=command.last,
            subject=command.subject,
            person=command.person,
        )
    ]


def decide(state: ReplayState, command: ReplayCommand) -> Sequence[ReplayFact]:
    match command:
        case AskReplay():
            return ask(command)
        case FinishReplay():
            told = ReplayFinished(replay_id=command.replay_id, published=command.published)
            return [told] if isinstance(state, Running) else []


def evolve(state: ReplayState, fact: ReplayFact) -> ReplayState:
    match fact:
        case ReplayAsked():
            return Running(asked=fact)
        case ReplayFinished():
            return state if isinstance(state, Unasked) else Finished(asked=state.asked, published=fact.published)


def replay(ledger: str) -> Aggregate[ReplayCommand, ReplayFact, ReplayState]:
    """The aggregate in a service's own ledger."""
    return Aggregate(
        "replay", Decider[ReplayCommand, ReplayFact, ReplayState](Unasked(), decide, evolve), replay_facts(ledger)
    )
