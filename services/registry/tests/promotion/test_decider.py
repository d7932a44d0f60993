"""Promotions decide: complete bundles, evidence, four eyes, exact digests."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from letopis.common.testing.decider import given
from letopis.registry.promotion.decider import (
    PROMOTION,
    ApprovePromotion,
    DigestMoved,
    EvidenceMissing,
    PartsMissing,
    PromotionDecided,
    PromotionExists,
    PromotionUnknown,
    RejectPromotion,
    RequestPromotion,
    SecondVote,
    SelfApproval,
    UseCaseMissing,
)
from letopis.registry.promotion.events import (
    PromotionApproved,
    PromotionCompleted,
    PromotionRejected,
    PromotionRequested,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)
REQUEST = RequestPromotion(
    promotion_id="p1",
    version_id="credit.1",
    model_id="credit",
    version_digest="aa",
    environment_digest="ee",
    missing_parts=(),
    use_case_approved=True,
    evidence_passed={"fairness": "f1", "explainability": "x1"},
    evidence_required=("fairness",),
    policy_revision="r1",
    stage="production",
    tier=1,
    approvals_needed=2,
    author="anna",
    requester="anna",
    comment="",
)
REQUESTED = PromotionRequested(
    promotion_id="p1",
    version_id="credit.1",
    model_id="credit",
    version_digest="aa",
    environment_digest="ee",
    evidence={"fairness": "f1"},
    policy_revision="r1",
    stage="production",
    tier=1,
    approvals_needed=2,
    author="anna",
    requester="anna",
    comment="",
)


def approval(person, **change):
    command = ApprovePromotion(
        person=person,
        key_id=f"k-{person}",
        signature="s",
        version_digest="aa",
        environment_digest="ee",
        policy_revision="r1",
        comment="",
        at=AT,
    )
    return replace(command, **change)


def approved(person):
    return PromotionApproved(
        promotion_id="p1",
        version_id="credit.1",
        model_id="credit",
        version_digest="aa",
        environment_digest="ee",
        policy_revision="r1",
        stage="production",
        tier=1,
        person=person,
        key_id=f"k-{person}",
        signature="s",
        comment="",
    )


COMPLETED = PromotionCompleted(
    promotion_id="p1",
    version_id="credit.1",
    model_id="credit",
    version_digest="aa",
    environment_digest="ee",
    stage="production",
    tier=1,
    approvers=("boris", "vera"),
    at=AT,
)


class TestRequest:
    def test_pins_digests_and_the_required_evidence(self):
        given(PROMOTION).when(REQUEST).then(REQUESTED)

    def test_refuses_an_incomplete_bundle(self):
        given(PROMOTION).when(replace(REQUEST, missing_parts=("monitors",))).refused(PartsMissing)

    def test_refuses_without_an_approved_use_case(self):
        given(PROMOTION).when(replace(REQUEST, use_case_approved=False)).refused(UseCaseMissing)

    def test_refuses_without_the_evidence_of_the_tier(self):
        given(PROMOTION).when(replace(REQUEST, evidence_required=("parity",))).refused(EvidenceMissing)

    def test_refuses_an_id_twice(self):
        given(PROMOTION, REQUESTED).when(REQUEST).refused(PromotionExists)


class TestApprove:
    def test_counts_the_first_of_two(self):
        given(PROMOTION, REQUESTED).when(approval("boris")).then(approved("boris"))

    def test_completes_with_the_second(self):
        given(PROMOTION, REQUESTED, approved("boris")).when(approval("vera")).then(approved("vera"), COMPLETED)

    def test_refuses_the_hand_that_wrote(self):
        given(PROMOTION, replace(REQUESTED, requester="carl")).when(approval("anna")).refused(SelfApproval)

    def test_refuses_the_hand_that_submitted(self):
        given(PROMOTION, replace(REQUESTED, requester="carl")).when(approval("carl")).refused(SelfApproval)

    def test_refuses_the_same_person_twice(self):
        given(PROMOTION, REQUESTED, approved("boris")).when(approval("boris")).refused(SecondVote)

    @pytest.mark.parametrize("moved", ["version_digest", "environment_digest", "policy_revision"])
    def test_refuses_other_digests_than_the_request_pins(self, moved):
        given(PROMOTION, REQUESTED).when(approval("boris", **{moved: "zz"})).refused(DigestMoved)

    def test_refuses_what_was_never_requested(self):
        given(PROMOTION).when(approval("boris")).refused(PromotionUnknown)

    def test_refuses_after_completion(self):
        given(PROMOTION, REQUESTED, approved("boris"), approved("vera"), COMPLETED).when(approval("carl")).refused(
            PromotionDecided
        )


class TestReject:
    REJECTION = RejectPromotion(
        person="boris",
        key_id="k",
        signature="s",
        version_digest="aa",
        environment_digest="ee",
        policy_revision="r1",
        comment="drifts",
        at=AT,
    )
    REJECTED = PromotionRejected(
        promotion_id="p1",
        version_id="credit.1",
        model_id="credit",
        version_digest="aa",
        stage="production",
        tier=1,
        person="boris",
        key_id="k",
        signature="s",
        comment="drifts",
    )

    def test_ends_the_request(self):
        given(PROMOTION, REQUESTED).when(self.REJECTION).then(self.REJECTED)
        given(PROMOTION, REQUESTED, self.REJECTED).when(approval("vera")).refused(PromotionDecided)
