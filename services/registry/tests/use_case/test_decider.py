"""Use cases decide: the tier follows from what is said, another hand approves."""

import pytest

from letopis.common.testing.decider import given
from letopis.registry.use_case.decider import (
    USE_CASE,
    ApproveUseCase,
    OwnUseCase,
    ProposeUseCase,
    RejectUseCase,
    UseCaseDecided,
    UseCaseExists,
    UseCaseUnknown,
    tier_of,
)
from letopis.registry.use_case.events import UseCaseApproved, UseCaseProposed, UseCaseRejected

PROPOSE = ProposeUseCase(
    use_case_id="cards",
    name="Cards",
    goal="Lend with care",
    owner="boris",
    proposer="anna",
    decision_domain="credit",
    customer_reach="segment",
    materiality="medium",
)
PROPOSED = UseCaseProposed(
    use_case_id="cards",
    name="Cards",
    goal="Lend with care",
    owner="boris",
    proposer="anna",
    decision_domain="credit",
    customer_reach="segment",
    materiality="medium",
    tier=1,
)
APPROVED = UseCaseApproved(use_case_id="cards", approver="vera", comment="")


class TestIntake:
    def test_proposes_with_the_tier(self):
        given(USE_CASE).when(PROPOSE).then(PROPOSED)

    def test_refuses_an_id_twice(self):
        given(USE_CASE, PROPOSED).when(PROPOSE).refused(UseCaseExists)

    def test_another_hand_approves_or_rejects(self):
        given(USE_CASE, PROPOSED).when(ApproveUseCase(approver="vera", comment="")).then(APPROVED)
        given(USE_CASE, PROPOSED).when(RejectUseCase(approver="vera", comment="no")).then(
            UseCaseRejected(use_case_id="cards", approver="vera", comment="no")
        )

    def test_refuses_the_hand_that_proposed(self):
        given(USE_CASE, PROPOSED).when(ApproveUseCase(approver="anna", comment="")).refused(OwnUseCase)

    def test_is_decided_once(self):
        given(USE_CASE, PROPOSED, APPROVED).when(RejectUseCase(approver="vera", comment="")).refused(UseCaseDecided)

    def test_refuses_what_was_never_proposed(self):
        given(USE_CASE).when(ApproveUseCase(approver="vera", comment="")).refused(UseCaseUnknown)


class TestTier:
    @pytest.mark.parametrize(
        ("domain", "reach", "materiality", "tier"),
        [
            ("credit", "internal", "low", 1),
            ("marketing", "mass", "low", 1),
            ("fraud", "internal", "high", 1),
            ("fraud", "segment", "low", 2),
            ("other", "internal", "medium", 2),
            ("other", "internal", "low", 3),
        ],
    )
    def test_follows_from_domain_reach_and_materiality(self, domain, reach, materiality, tier):
        assert tier_of(domain, reach, materiality) == tier
