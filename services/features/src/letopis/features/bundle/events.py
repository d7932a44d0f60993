"""What is known of a bundle."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFeature:
    """A feature under the name by which models know it."""

    name: str
    view_id: str
    feature: str
    type: str
    cls: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRegistered:
    bundle_id: str
    name: str
    number: int
    entity: str
    key: str
    features: tuple[BundleFeature, ...]
    owner: str


BundleFact = BundleRegistered

FACTS = Catalogue([("features.bundle.registered", 1, BundleRegistered)])
