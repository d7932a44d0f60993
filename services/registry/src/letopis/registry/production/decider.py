"""Production of one model: versions enter it one after another, and it can be rolled back to the one before."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.production.events import FACTS, ProductionEntered, ProductionFact, ProductionRolledBack


class NothingBefore(Refused):
    """There is no earlier version to go back to."""

    code = "production.nothing_before"
    title = "There is no earlier version in production to go back to"


class NotInProduction(Refused):
    """The version named is not the one in production."""

    code = "production.not_current"
    title = "This version is not the one in production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A version that is or was in production, and the promotion or emergency that brought it there."""

    version_id: str
    version_digest: str
    promotion_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterProduction:
    model_id: str
    version_id: str
    version_digest: str
    promotion_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    model_id: str
    from_version_id: str | None
    reason: str
    by: str


ProductionCommand = EnterProduction | RollBack


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """The way a model went: the last one is in production now."""

    trail: tuple[Placed, ...] = ()
    promotions: frozenset[str] = frozenset()


def enter(state: Production, command: EnterProduction) -> Sequence[ProductionFact]:
    if command.promotion_id in state.promotions:
        return []
    return [
        ProductionEntered(
            model_id=command.model_id,
            version_id=command.version_id,
            version_digest=command.version_digest,
            promotion_id=command.promotion_id,
            replaces=state.trail[-1].version_id if state.trail else None,
        )
    ]


def roll_back(state: Production, command: RollBack) -> Sequence[ProductionFact]:
    if len(state.trail) < 2:
        raise NothingBefore
    before, now = state.trail[-2:]
    if command.from_version_id not in {None, now.version_id}:
        raise NotInProduction(f"{now.version_id} is in production, not {command.from_version_id}")
    return [
        ProductionRolledBack(
            model_id=command.model_id,
            from_version_id=now.version_id,
            to_version_id=before.version_id,
            to_version_digest=before.version_digest,
            reason=command.reason,
            by=command.by,
        )
    ]


def decide(state: Production, command: ProductionCommand) -> Sequence[ProductionFact]:
    match command:
        case EnterProduction():
            return enter(state, command)
        case RollBack():
            return roll_back(state, command)


def evolve(state: Production, fact: ProductionFact) -> Production:
    match fact:
        case ProductionEntered():
            placed = Placed(
                version_id=fact.version_id, version_digest=fact.version_digest, promotion_id=fact.promotion_id
            )
            return Production(trail=(*state.trail, placed), promotions=state.promotions | {fact.promotion_id})
        case ProductionRolledBack():
            return Production(trail=state.trail[:-1], promotions=state.promotions)


PRODUCTION = Aggregate(
    "production", Decider[ProductionCommand, ProductionFact, Production](Production(), decide, evolve), FACTS
)
