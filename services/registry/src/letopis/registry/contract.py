"""The facts of the registry that other services may rely on."""

from letopis.registry.access_review.events import FACTS as ACCESS_REVIEW
from letopis.registry.enrolment.events import FACTS as ENROLMENT
from letopis.registry.evidence.events import FACTS as EVIDENCE
from letopis.registry.evidence.events import EvidenceAdded
from letopis.registry.model.events import FACTS as MODEL
from letopis.registry.model.events import ModelRegistered, UseCaseAssigned
from letopis.registry.principal.events import FACTS as PRINCIPAL
from letopis.registry.principal.events import (
    GroupJoined,
    GroupLeft,
    KeyEnrolled,
    KeyRevoked,
    PrincipalEndChanged,
    PrincipalEnded,
    PrincipalRegistered,
    RoleGranted,
    RoleRevoked,
)
from letopis.registry.production.events import FACTS as PRODUCTION
from letopis.registry.production.events import ProductionEntered, ProductionRolledBack
from letopis.registry.promotion.events import FACTS as PROMOTION
from letopis.registry.promotion.events import (
    PromotionApproved,
    PromotionCompleted,
    PromotionRejected,
    PromotionRequested,
)
from letopis.registry.reveal.events import FACTS as REVEAL
from letopis.registry.session.events import FACTS as SESSION
from letopis.registry.use_case.events import FACTS as USE_CASE
from letopis.registry.use_case.events import UseCaseApproved, UseCaseProposed, UseCaseRejected
from letopis.registry.version.events import FACTS as VERSION
from letopis.registry.version.events import VersionRegistered

CONTRACT = PRINCIPAL | USE_CASE | MODEL | VERSION | EVIDENCE | PROMOTION | PRODUCTION
# All that the service's ledgers publish.
PUBLISHED = {"registry": CONTRACT | ENROLMENT | ACCESS_REVIEW | SESSION | REVEAL}

__all__ = [
    "CONTRACT",
    "PRINCIPAL",
    "PUBLISHED",
    "EvidenceAdded",
    "GroupJoined",
    "GroupLeft",
    "KeyEnrolled",
    "KeyRevoked",
    "ModelRegistered",
    "PrincipalEndChanged",
    "PrincipalEnded",
    "PrincipalRegistered",
    "ProductionEntered",
    "ProductionRolledBack",
    "PromotionApproved",
    "PromotionCompleted",
    "PromotionRejected",
    "PromotionRequested",
    "RoleGranted",
    "RoleRevoked",
    "UseCaseApproved",
    "UseCaseAssigned",
    "UseCaseProposed",
    "UseCaseRejected",
    "VersionRegistered",
]
