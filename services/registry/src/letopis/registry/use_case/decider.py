"""Intake of a use case: proposed with what makes its risk tier, then approved by another person."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.use_case.events import (
    FACTS,
    Domain,
    Materiality,
    Reach,
    UseCaseApproved,
    UseCaseFact,
    UseCaseProposed,
    UseCaseRejected,
)


class UseCaseExists(Refused):
    """The id is taken."""

    code = "use_case.exists"
    title = "A use case with this id exists already"


class UseCaseUnknown(Refused):
    """Nothing was proposed under this id."""

    code = "use_case.unknown"
    title = "There is no such use case; propose it first"


class UseCaseDecided(Refused):
    """A decision was taken already."""

    code = "use_case.decided"
    title = "This use case was decided already"


class OwnUseCase(Refused):
    """Four eyes: the proposer does not approve."""

    code = "four_eyes.own_use_case"
    title = "Who proposed a use case cannot decide on it; ask another risk officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeUseCase:
    use_case_id: str
    name: str
    goal: str
    owner: str
    proposer: str
    decision_domain: Domain
    customer_reach: Reach
    materiality: Materiality


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveUseCase:
    approver: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectUseCase:
    approver: str
    comment: str


UseCaseCommand = ProposeUseCase | ApproveUseCase | RejectUseCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproposed:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    use_case_id: str
    proposer: str
    tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    use_case_id: str
    proposer: str
    tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    use_case_id: str
    proposer: str


UseCase = Unproposed | Proposed | Approved | Rejected


def tier_of(domain: Domain, reach: Reach, materiality: Materiality) -> int:
    """The risk tier, 1 the strictest: decisions about credit, mass reach or high materiality are tier 1."""
    if domain in {"credit", "compliance"} or reach == "mass" or materiality == "high":
        return 1
    return 2 if reach == "segment" or materiality == "medium" else 3


def propose(command: ProposeUseCase) -> Sequence[UseCaseFact]:
    return [
        UseCaseProposed(
            use_case_id=command.use_case_id,
            name=command.name,
            goal=command.goal,
            owner=command.owner,
            proposer=command.proposer,
            decision_domain=command.decision_domain,
            customer_reach=command.customer_reach,
            materiality=command.materiality,
            tier=tier_of(command.decision_domain, command.customer_reach, command.materiality),
        )
    ]


def decide(state: UseCase, command: UseCaseCommand) -> Sequence[UseCaseFact]:
    match state, command:
        case Unproposed(), ProposeUseCase():
            return propose(command)
        case Unproposed(), _:
            raise UseCaseUnknown
        case _, ProposeUseCase():
            raise UseCaseExists
        case Proposed(proposer=proposer), ApproveUseCase() | RejectUseCase():
            if command.approver == proposer:
                raise OwnUseCase
            kind = UseCaseApproved if isinstance(command, ApproveUseCase) else UseCaseRejected
            return [kind(use_case_id=state.use_case_id, approver=command.approver, comment=command.comment)]
        case _:
            raise UseCaseDecided


def evolve(state: UseCase, fact: UseCaseFact) -> UseCase:
    match fact:
        case UseCaseProposed():
            return Proposed(use_case_id=fact.use_case_id, proposer=fact.proposer, tier=fact.tier)
        case UseCaseApproved(use_case_id=id):
            proposer, tier = _proposal(state)
            return Approved(use_case_id=id, proposer=proposer, tier=tier)
        case UseCaseRejected(use_case_id=id):
            return Rejected(use_case_id=id, proposer=_proposal(state)[0])


def _proposal(state: UseCase) -> tuple[str, int]:
    """Who proposed, and the tier; the strictest where a history is not one of ours."""
    return (state.proposer, state.tier) if isinstance(state, Proposed) else ("", 1)


USE_CASE = Aggregate("use_case", Decider[UseCaseCommand, UseCaseFact, UseCase](Unproposed(), decide, evolve), FACTS)
