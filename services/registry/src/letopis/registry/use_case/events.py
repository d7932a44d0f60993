"""What is known of a use case."""

from dataclasses import dataclass
from typing import Literal

from letopis.common.serialization import Catalogue

Domain = Literal["credit", "fraud", "collections", "marketing", "operations", "compliance", "other"]
Reach = Literal["internal", "segment", "mass"]
Materiality = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCaseProposed:
    use_case_id: str
    name: str
    goal: str
    owner: str
    proposer: str
    decision_domain: Domain
    customer_reach: Reach
    materiality: Materiality
    tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCaseApproved:
    use_case_id: str
    approver: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCaseRejected:
    use_case_id: str
    approver: str
    comment: str


UseCaseFact = UseCaseProposed | UseCaseApproved | UseCaseRejected

FACTS = Catalogue(
    [
        ("registry.use_case.proposed", 1, UseCaseProposed),
        ("registry.use_case.approved", 1, UseCaseApproved),
        ("registry.use_case.rejected", 1, UseCaseRejected),
    ]
)
