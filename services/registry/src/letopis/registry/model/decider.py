"""A model: registered freely, tied to a use case when it means business, numbering its versions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.model.events import FACTS, ModelFact, ModelRegistered, UseCaseAssigned, VersionNumbered


class ModelExists(Refused):
    """The id is taken."""

    code = "model.exists"
    title = "A model with this id exists already"


class ModelUnknown(Refused):
    """No model has this id."""

    code = "model.unknown"
    title = "There is no such model; register it first"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterModel:
    model_id: str
    name: str
    owner: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignUseCase:
    use_case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberVersion:
    digest: str


ModelCommand = RegisterModel | AssignUseCase | NumberVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    model_id: str
    name: str
    owner: str
    use_case_id: str | None = None
    numbers: dict[str, int] = field(default_factory=dict)

    def version_id(self, digest: str) -> str:
        """The id of the version with this digest, which MUST have been numbered."""
        return f"{self.model_id}.{self.numbers[digest]}"


Model = Unregistered | Registered


def assign(state: Registered, command: AssignUseCase) -> Sequence[ModelFact]:
    if state.use_case_id == command.use_case_id:
        return []
    return [UseCaseAssigned(model_id=state.model_id, use_case_id=command.use_case_id)]


def number(state: Registered, command: NumberVersion) -> Sequence[ModelFact]:
    if command.digest in state.numbers:
        return []
    following = len(state.numbers) + 1
    return [
        VersionNumbered(
            model_id=state.model_id,
            version_id=f"{state.model_id}.{following}",
            number=following,
            digest=command.digest,
        )
    ]


def decide(state: Model, command: ModelCommand) -> Sequence[ModelFact]:
    match state, command:
        case Unregistered(), RegisterModel():
            return [
                ModelRegistered(
                    model_id=command.model_id,
                    name=command.name,
                    owner=command.owner,
                    description=command.description,
                )
            ]
        case Unregistered(), _:
            raise ModelUnknown
        case Registered(), RegisterModel():
            raise ModelExists
        case Registered(), AssignUseCase():
            return assign(state, command)
        case Registered(), NumberVersion():
            return number(state, command)


def evolve(state: Model, fact: ModelFact) -> Model:
    match fact:
        case ModelRegistered():
            return Registered(model_id=fact.model_id, name=fact.name, owner=fact.owner)
        case UseCaseAssigned(use_case_id=id):
            return replace(state, use_case_id=id) if isinstance(state, Registered) else state
        case VersionNumbered(digest=digest, number=following):
            if isinstance(state, Registered):
                return replace(state, numbers={**state.numbers, digest: following})
            return state


MODEL = Aggregate("model", Decider[ModelCommand, ModelFact, Model](Unregistered(), decide, evolve), FACTS)
