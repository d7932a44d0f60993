"""What is known of a model."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRegistered:
    model_id: str
    name: str
    owner: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCaseAssigned:
    model_id: str
    use_case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionNumbered:
    """The next number goes to a bundle; the same bundle keeps its number."""

    model_id: str
    version_id: str
    number: int
    digest: str


ModelFact = ModelRegistered | UseCaseAssigned | VersionNumbered

FACTS = Catalogue(
    [
        ("registry.model.registered", 1, ModelRegistered),
        ("registry.model.use_case_assigned", 1, UseCaseAssigned),
        ("registry.model.version_numbered", 1, VersionNumbered),
    ]
)
