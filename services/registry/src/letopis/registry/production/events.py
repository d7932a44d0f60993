"""What is known of a model in production."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionEntered:
    model_id: str
    version_id: str
    version_digest: str
    promotion_id: str
    replaces: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionRolledBack:
    model_id: str
    from_version_id: str
    to_version_id: str
    to_version_digest: str
    reason: str
    by: str


ProductionFact = ProductionEntered | ProductionRolledBack

FACTS = Catalogue(
    [
        ("registry.production.entered", 1, ProductionEntered),
        ("registry.production.rolled_back", 1, ProductionRolledBack),
    ]
)
