"""What is known of an entity."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRegistered:
    """What features are about; `key` is the column that names one of them in every view and spine."""

    entity: str
    key: str
    description: str


EntityFact = EntityRegistered

FACTS = Catalogue([("features.entity.registered", 1, EntityRegistered)])
