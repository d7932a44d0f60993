"""A drill is committed to, then revealed once, with the plan that was committed to and no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.audit.claim.commitment import commitment
from letopis.audit.drill.events import FACTS, Catch, DrillCommitted, DrillFact, DrillRevealed
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Invalid, NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDrill:
    drill_id: str
    commitment: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealDrill:
    drill_id: str
    plan: str
    salt: str
    catches: tuple[Catch, ...]
    committed_at: datetime
    by: str


class DrillUnknown(NotFound):
    """Nobody committed to it."""

    code = "drill.unknown"
    title = "No such drill was committed to"


class DrillRevealedBefore(Refused):
    """A drill is revealed once."""

    code = "drill.revealed_before"
    title = "This drill was revealed before"


class DrillExists(Refused):
    """The id is taken."""

    code = "drill.exists"
    title = "A drill of this id was committed to before"


class PlanAltered(Refused):
    """The plan is not the one that was committed to."""

    code = "drill.plan_altered"
    title = "This is not the plan that was committed to: its hash with this salt is another"


class InjectedEarlier(Invalid):
    """A drill counts what was injected after its commitment."""

    code = "drill.injected_earlier"
    title = "An injection is said to have been made before the drill was committed to"


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such drill."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """It may be going on now."""

    commitment: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """It is over."""


State = Unknown | Sealed | Revealed


def commit(state: State, command: CommitDrill) -> Sequence[DrillFact]:
    if not isinstance(state, Unknown):
        raise DrillExists
    return [DrillCommitted(drill_id=command.drill_id, commitment=command.commitment, by=command.by)]


def reveal(state: State, command: RevealDrill) -> Sequence[DrillFact]:
    if isinstance(state, Unknown):
        raise DrillUnknown
    if isinstance(state, Revealed):
        raise DrillRevealedBefore
    if commitment(command.plan, command.salt) != state.commitment:
        raise PlanAltered
    if any(one.injected_at < command.committed_at for one in command.catches):
        raise InjectedEarlier
    caught = sum(one.caught for one in command.catches)
    return [
        DrillRevealed(
            drill_id=command.drill_id,
            commitment=state.commitment,
            plan=command.plan,
            salt=command.salt,
            catches=command.catches,
            caught=caught,
            missed=len(command.catches) - caught,
            by=command.by,
        )
    ]


def decide(state: State, command: CommitDrill | RevealDrill) -> Sequence[DrillFact]:
    match command:
        case CommitDrill():
            return commit(state, command)
        case RevealDrill():
            return reveal(state, command)


def evolve(_state: State, fact: DrillFact) -> State:
    return Sealed(fact.commitment) if isinstance(fact, DrillCommitted) else Revealed()


DRILL = Aggregate("drill", Decider[CommitDrill | RevealDrill, DrillFact, State](Unknown(), decide, evolve), FACTS)
