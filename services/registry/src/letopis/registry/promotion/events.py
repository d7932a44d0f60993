"""What is known of a promotion."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRequested:
    """What is asked for, and all that approvals will be bound to."""

    promotion_id: str
    version_id: str
    model_id: str
    version_digest: str
    environment_digest: str
    evidence: dict[str, str]
    policy_revision: str
    stage: str
    tier: int
    approvals_needed: int
    author: str
    requester: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionApproved:
    """One person's approval, signed with their own key over the exact digests."""

    promotion_id: str
    version_id: str
    model_id: str
    version_digest: str
    environment_digest: str
    policy_revision: str
    stage: str
    tier: int
    person: str
    key_id: str
    signature: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRejected:
    promotion_id: str
    version_id: str
    model_id: str
    version_digest: str
    stage: str
    tier: int
    person: str
    key_id: str
    signature: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionCompleted:
    """All approvals are in; the version enters the stage."""

    promotion_id: str
    version_id: str
    model_id: str
    version_digest: str
    environment_digest: str
    stage: str
    tier: int
    approvers: tuple[str, ...]
    at: datetime


PromotionFact = PromotionRequested | PromotionApproved | PromotionRejected | PromotionCompleted

FACTS = Catalogue(
    [
        ("registry.promotion.requested", 1, PromotionRequested),
        ("registry.promotion.approved", 1, PromotionApproved),
        ("registry.promotion.rejected", 1, PromotionRejected),
        ("registry.promotion.completed", 1, PromotionCompleted),
    ]
)
