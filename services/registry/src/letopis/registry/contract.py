"""The facts of the registry that other services may rely on."""

from letopis.registry.access_review.events import FACTS as ACCESS_REVIEW
from letopis.registry.break_glass.events import FACTS as BREAK_GLASS
from letopis.registry.break_glass.events import (
    BreakGlassLapsed,
    BreakGlassOpened,
    BreakGlassRequested,
    BreakGlassReviewed,
)
from letopis.registry.delegation.events import FACTS as DELEGATION
from letopis.registry.delegation.events import DelegationEnded, DelegationGiven
from letopis.registry.enrolment.events import FACTS as ENROLMENT
from letopis.registry.evidence.events import FACTS as EVIDENCE
from letopis.registry.evidence.events import EvidenceAdded
from letopis.registry.group_role.events import FACTS as GROUP_ROLE
from letopis.registry.group_role.events import GroupRolesApproved, GroupRolesProposed
from letopis.registry.model.events import FACTS as MODEL
from letopis.registry.model.events import ModelRegistered, UseCaseAssigned
from letopis.registry.notebook_key.events import FACTS as NOTEBOOK_KEY
from letopis.registry.notebook_key.events import NotebookKeyIssued, NotebookKeyRevoked
from letopis.registry.policy_release.events import FACTS as POLICY_RELEASE
from letopis.registry.policy_release.events import PolicyPublished
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
    TrainingAttested,
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

# Who may act: logins, the roles of their groups, roles lent to them, keys of their notebooks.
DIRECTORY = PRINCIPAL | GROUP_ROLE | DELEGATION | NOTEBOOK_KEY
CONTRACT = DIRECTORY | USE_CASE | MODEL | VERSION | EVIDENCE | PROMOTION | PRODUCTION | BREAK_GLASS
# All that the service's ledgers publish.
PUBLISHED = {"registry": CONTRACT | ENROLMENT | ACCESS_REVIEW | SESSION | REVEAL | POLICY_RELEASE}

__all__ = [
    "CONTRACT",
    "DIRECTORY",
    "POLICY_RELEASE",
    "PRINCIPAL",
    "PUBLISHED",
    "BreakGlassLapsed",
    "BreakGlassOpened",
    "BreakGlassRequested",
    "BreakGlassReviewed",
    "DelegationEnded",
    "DelegationGiven",
    "EvidenceAdded",
    "GroupJoined",
    "GroupLeft",
    "GroupRolesApproved",
    "GroupRolesProposed",
    "KeyEnrolled",
    "KeyRevoked",
    "ModelRegistered",
    "NotebookKeyIssued",
    "NotebookKeyRevoked",
    "PolicyPublished",
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
    "TrainingAttested",
    "UseCaseApproved",
    "UseCaseAssigned",
    "UseCaseProposed",
    "UseCaseRejected",
    "VersionRegistered",
]
