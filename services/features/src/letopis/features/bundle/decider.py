"""Bundles in versions: the list of features, from exact view versions, that a model pins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.bundle.events import FACTS, BundleFact, BundleFeature, BundleRegistered


class BundleUnchanged(Refused):
    """The newest version lists the same."""

    code = "bundle.unchanged"
    title = "The newest version of this bundle has exactly these features"


class BundleUnknown(Refused):
    """No bundle version has this id."""

    code = "bundle.unknown"
    title = "There is no such bundle; register it first"


class FeatureTwice(Refused):
    """A model knows each input by one name."""

    code = "bundle.feature_twice"
    title = "Two features of a bundle have the same name; give one another"


class EntitiesDiffer(Refused):
    """A bundle is about one entity."""

    code = "bundle.entities_differ"
    title = "All features of a bundle are about the same entity"


class BundleEmpty(Refused):
    """A bundle lists features."""

    code = "bundle.empty"
    title = "A bundle has at least one feature"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterBundle:
    name: str
    entities: frozenset[tuple[str, str]]
    features: tuple[BundleFeature, ...]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of a bundle by number."""

    all: Mapping[int, BundleRegistered] = field(default_factory=dict)

    @property
    def newest(self) -> BundleRegistered | None:
        return self.all[max(self.all)] if self.all else None


def decide(state: Versions, command: RegisterBundle) -> Sequence[BundleFact]:
    if not command.features:
        raise BundleEmpty
    if len(command.entities) != 1:
        raise EntitiesDiffer
    names = [one.name for one in command.features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FeatureTwice(f"named twice: {', '.join(twice)}", features=twice)
    if state.newest and state.newest.features == command.features:
        raise BundleUnchanged(f"it is {state.newest.bundle_id}", bundle_id=state.newest.bundle_id)
    number = max(state.all, default=0) + 1
    ((entity, key),) = command.entities
    return [
        BundleRegistered(
            bundle_id=f"{command.name}.{number}",
            name=command.name,
            number=number,
            entity=entity,
            key=key,
            features=command.features,
            owner=command.owner,
        )
    ]


def evolve(state: Versions, fact: BundleFact) -> Versions:
    return Versions(all={**state.all, fact.number: fact})


BUNDLE = Aggregate("bundle", Decider[RegisterBundle, BundleFact, Versions](Versions(), decide, evolve), FACTS)
