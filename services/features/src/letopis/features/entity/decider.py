"""Entities: a name and the column that is its key."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.entity.events import FACTS, EntityFact, EntityRegistered


class EntityExists(Refused):
    """The name is taken."""

    code = "entity.exists"
    title = "An entity with this name exists already"


class EntityUnknown(Refused):
    """No entity has this name."""

    code = "entity.unknown"
    title = "There is no such entity; register it first"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntity:
    entity: str
    key: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    entity: str
    key: str


Entity = Unregistered | Registered


def decide(state: Entity, command: RegisterEntity) -> Sequence[EntityFact]:
    if isinstance(state, Registered):
        raise EntityExists
    return [EntityRegistered(entity=command.entity, key=command.key, description=command.description)]


def evolve(_: Entity, fact: EntityFact) -> Entity:
    return Registered(entity=fact.entity, key=fact.key)


ENTITY = Aggregate("entity", Decider[RegisterEntity, EntityFact, Entity](Unregistered(), decide, evolve), FACTS)
