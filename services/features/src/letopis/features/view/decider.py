"""Feature views in versions: a changed definition is a new version, the old one stays as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.view.events import FACTS, ViewFact, ViewFeature, ViewRegistered


class ViewUnchanged(Refused):
    """The newest version says the same."""

    code = "view.unchanged"
    title = "The newest version of this view has exactly this definition"


class TimesMissing(Refused):
    """A view says whose values they are and when they were true."""

    code = "view.times_missing"
    title = "The statement must give the entity's key and the event time (and the known time, if one is named)"


class FeaturesMissing(Refused):
    """A view gives features."""

    code = "view.features_missing"
    title = "The statement gives no column beside key and times"


class UnclassifiedInput(Refused):
    """What nobody classified cannot be passed on under another name."""

    code = "view.unclassified_input"
    title = "The view reads columns that nobody classified; have them confirmed first"


class TimeToLiveWrong(Refused):
    """A time to live is a span."""

    code = "view.ttl_wrong"
    title = "The time to live is at least one second, or none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterView:
    name: str
    entity: str
    key: str
    event_time: str
    known_time: str | None
    ttl_seconds: int | None
    sql: str
    sql_hash: str
    reads: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]
    features: tuple[ViewFeature, ...]
    owner: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of a view by number."""

    all: Mapping[int, ViewRegistered] = field(default_factory=dict)

    @property
    def newest(self) -> ViewRegistered | None:
        return self.all[max(self.all)] if self.all else None


def view_id(name: str, number: int) -> str:
    """How a version is named: `payment_behaviour.2`."""
    return f"{name}.{number}"


def split_id(id: str) -> tuple[str, int]:
    """Name and number of a version; number 0 where the id is not one."""
    name, _, number = id.rpartition(".")
    return (name, int(number)) if name and number.isdecimal() else (id, 0)


def decide(state: Versions, command: RegisterView) -> Sequence[ViewFact]:
    times = {command.key, command.event_time, *([command.known_time] if command.known_time else [])}
    missing = sorted(times - {*command.outputs})
    if missing or len(times) < (3 if command.known_time else 2):
        raise TimesMissing(f"not among the outputs, or named twice: {', '.join(missing) or 'key and times'}")
    if not command.features:
        raise FeaturesMissing
    if command.ttl_seconds is not None and command.ttl_seconds < 1:
        raise TimeToLiveWrong
    unclassified = [one.name for one in command.features if one.cls == "restricted"]
    if unclassified:
        raise UnclassifiedInput(f"made of restricted columns: {', '.join(unclassified)}", features=unclassified)
    number = max(state.all, default=0) + 1
    fact = ViewRegistered(
        view_id=view_id(command.name, number),
        name=command.name,
        number=number,
        entity=command.entity,
        key=command.key,
        event_time=command.event_time,
        known_time=command.known_time,
        ttl_seconds=command.ttl_seconds,
        sql=command.sql,
        sql_hash=command.sql_hash,
        reads=dict(command.reads),
        features=command.features,
        owner=command.owner,
        description=command.description,
    )
    if state.newest and _definition(state.newest) == _definition(fact):
        raise ViewUnchanged(f"it is {state.newest.view_id}", view_id=state.newest.view_id)
    return [fact]


def evolve(state: Versions, fact: ViewFact) -> Versions:
    return Versions(all={**state.all, fact.number: fact})


def _definition(fact: ViewRegistered) -> tuple[object, ...]:
    return (
        fact.entity, fact.key, fact.event_time, fact.known_time, fact.ttl_seconds, fact.sql_hash, fact.features
    )  # fmt: skip


VIEW = Aggregate("view", Decider[RegisterView, ViewFact, Versions](Versions(), decide, evolve), FACTS)
