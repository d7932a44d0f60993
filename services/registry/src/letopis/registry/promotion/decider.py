"""A promotion: requested with everything pinned, approved by distinct people with their own keys, completed.

Evidence and the number of approvals that a tier needs come from policy and are pinned in the request; that an
author, a requester or the same person twice does not approve is an invariant and stands here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.promotion.events import (
    FACTS,
    PromotionApproved,
    PromotionCompleted,
    PromotionFact,
    PromotionRejected,
    PromotionRequested,
)


class PromotionUnknown(Refused):
    """Nothing was requested under this id."""

    code = "promotion.unknown"
    title = "There is no such promotion"


class PromotionExists(Refused):
    """The id is taken."""

    code = "promotion.exists"
    title = "A promotion with this id exists already"


class PromotionDecided(Refused):
    """It was completed or rejected."""

    code = "promotion.decided"
    title = "This promotion was decided already; request a new one"


class PartsMissing(Refused):
    """The bundle is not complete."""

    code = "promotion.parts_missing"
    title = "The bundle lacks parts that production needs"


class EvidenceMissing(Refused):
    """The tier asks for more evidence."""

    code = "promotion.evidence_missing"
    title = "The risk tier asks for evidence that is missing or failed"


class UseCaseMissing(Refused):
    """No approved use case stands behind the model."""

    code = "promotion.use_case_missing"
    title = "The model has no approved use case; have one approved and assign it"


class SelfApproval(Refused):
    """Four eyes: neither the author nor the requester approves."""

    code = "four_eyes.self_approval"
    title = "An author or requester cannot approve their own version; ask another approver"


class SecondVote(Refused):
    """One person, one vote."""

    code = "four_eyes.second_vote"
    title = "This person approved already; another one is needed"


class DigestMoved(Refused):
    """The approval was signed over something else."""

    code = "promotion.digest_moved"
    title = "The approval names other digests than the request pins; read the promotion again and sign anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPromotion:
    promotion_id: str
    version_id: str
    model_id: str
    version_digest: str
    environment_digest: str
    missing_parts: tuple[str, ...]
    use_case_approved: bool
    evidence_passed: dict[str, str]
    evidence_required: tuple[str, ...]
    policy_revision: str
    stage: str
    tier: int
    approvals_needed: int
    author: str
    requester: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovePromotion:
    """The signature was verified against the person's enrolled key; the statement's digests come along."""

    person: str
    key_id: str
    signature: str
    version_digest: str
    environment_digest: str
    policy_revision: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPromotion:
    person: str
    key_id: str
    signature: str
    version_digest: str
    environment_digest: str
    policy_revision: str
    comment: str
    at: datetime


PromotionCommand = RequestPromotion | ApprovePromotion | RejectPromotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrequested:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    request: PromotionRequested
    approvers: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    request: PromotionRequested
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    request: PromotionRequested


Promotion = Unrequested | Requested | Completed | Rejected


def request(command: RequestPromotion) -> Sequence[PromotionFact]:
    if command.missing_parts:
        raise PartsMissing(
            f"the bundle lacks {', '.join(command.missing_parts)}; add them and register the version again",
            missing=list(command.missing_parts),
        )
    if not command.use_case_approved:
        raise UseCaseMissing
    lacking = [kind for kind in command.evidence_required if kind not in command.evidence_passed]
    if lacking:
        raise EvidenceMissing(f"tier {command.tier} needs passed evidence of {', '.join(lacking)}", missing=lacking)
    pinned = {kind: command.evidence_passed[kind] for kind in command.evidence_required}
    return [
        PromotionRequested(
            promotion_id=command.promotion_id,
            version_id=command.version_id,
            model_id=command.model_id,
            version_digest=command.version_digest,
            environment_digest=command.environment_digest,
            evidence=pinned,
            policy_revision=command.policy_revision,
            stage=command.stage,
            tier=command.tier,
            approvals_needed=command.approvals_needed,
            author=command.author,
            requester=command.requester,
            comment=command.comment,
        )
    ]


def approve(state: Requested, command: ApprovePromotion) -> Sequence[PromotionFact]:
    asked = state.request
    _same_digests(asked, command)
    if command.person in {asked.author, asked.requester}:
        raise SelfApproval
    if command.person in state.approvers:
        raise SecondVote
    approved = PromotionApproved(
        promotion_id=asked.promotion_id,
        version_id=asked.version_id,
        model_id=asked.model_id,
        version_digest=asked.version_digest,
        environment_digest=asked.environment_digest,
        policy_revision=asked.policy_revision,
        stage=asked.stage,
        tier=asked.tier,
        person=command.person,
        key_id=command.key_id,
        signature=command.signature,
        comment=command.comment,
    )
    approvers = (*state.approvers, command.person)
    if len(approvers) < asked.approvals_needed:
        return [approved]
    completed = PromotionCompleted(
        promotion_id=asked.promotion_id,
        version_id=asked.version_id,
        model_id=asked.model_id,
        version_digest=asked.version_digest,
        environment_digest=asked.environment_digest,
        stage=asked.stage,
        tier=asked.tier,
        approvers=approvers,
        at=command.at,
    )
    return [approved, completed]


def reject(state: Requested, command: RejectPromotion) -> Sequence[PromotionFact]:
    asked = state.request
    _same_digests(asked, command)
    return [
        PromotionRejected(
            promotion_id=asked.promotion_id,
            version_id=asked.version_id,
            model_id=asked.model_id,
            version_digest=asked.version_digest,
            stage=asked.stage,
            tier=asked.tier,
            person=command.person,
            key_id=command.key_id,
            signature=command.signature,
            comment=command.comment,
        )
    ]


def decide(state: Promotion, command: PromotionCommand) -> Sequence[PromotionFact]:
    match state, command:
        case Unrequested(), RequestPromotion():
            return request(command)
        case Unrequested(), _:
            raise PromotionUnknown
        case _, RequestPromotion():
            raise PromotionExists
        case Requested(), ApprovePromotion():
            return approve(state, command)
        case Requested(), RejectPromotion():
            return reject(state, command)
        case _:
            raise PromotionDecided


def evolve(state: Promotion, fact: PromotionFact) -> Promotion:
    match state, fact:
        case _, PromotionRequested():
            return Requested(request=fact)
        case Requested(), PromotionApproved(person=person):
            return replace(state, approvers=(*state.approvers, person))
        case Requested(request=asked, approvers=approvers), PromotionCompleted():
            return Completed(request=asked, approvers=approvers)
        case Requested(request=asked), PromotionRejected():
            return Rejected(request=asked)
        case _:
            return state


def _same_digests(asked: PromotionRequested, command: ApprovePromotion | RejectPromotion) -> None:
    signed = (command.version_digest, command.environment_digest, command.policy_revision)
    if signed != (asked.version_digest, asked.environment_digest, asked.policy_revision):
        raise DigestMoved


PROMOTION = Aggregate(
    "promotion", Decider[PromotionCommand, PromotionFact, Promotion](Unrequested(), decide, evolve), FACTS
)
