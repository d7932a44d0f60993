"""The rule of deployments: only what was promoted answers."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from letopis.common.testing.decider import given
from letopis.inference.deployment.decider import (
    DEPLOYMENT,
    AlreadyDeployed,
    AlreadyGranted,
    Deploy,
    DigestDiffers,
    GrantConsumer,
    NotDeployed,
    NoteLoadFailure,
    NotGranted,
    NotPromoted,
    Promotion,
    Replace,
    Retire,
    RevokeConsumer,
)
from letopis.inference.deployment.events import (
    ConsumerGranted,
    ConsumerRevoked,
    Deployed,
    LoadFailed,
    Replaced,
    Retired,
)

NOW = datetime(2026, 11, 21, 7, tzinfo=UTC)
PROMOTED = Promotion(promotion_id="p-3", version_digest="d3")
DEPLOY = Deploy(
    application="credit",
    api_version="v1",
    model_id="credit-default",
    version_id="credit-default.3",
    version_digest="d3",
    promotion=PROMOTED,
    follows="production",
    consumers=("bank-app",),
    most_rows=1000,
    by="Olga",
    at=NOW,
)
DEPLOYED = Deployed(
    deployment_id="credit.v1",
    application="credit",
    api_version="v1",
    model_id="credit-default",
    version_id="credit-default.3",
    version_digest="d3",
    promotion_id="p-3",
    follows="production",
    consumers=("bank-app",),
    most_rows=1000,
    by="Olga",
    at=NOW,
)
REPLACE = Replace(
    version_id="credit-default.4",
    version_digest="d4",
    promotion=Promotion(promotion_id="p-4", version_digest="d4"),
    cause="entered",
    cause_id="e-1",
    at=NOW,
)
REPLACED = Replaced(
    deployment_id="credit.v1",
    application="credit",
    api_version="v1",
    model_id="credit-default",
    from_version_id="credit-default.3",
    version_id="credit-default.4",
    version_digest="d4",
    cause="entered",
    cause_id="e-1",
    at=NOW,
)
RETIRED = Retired(
    deployment_id="credit.v1",
    application="credit",
    api_version="v1",
    model_id="credit-default",
    version_id="credit-default.3",
    reason="old",
    by="Olga",
    at=NOW,
)
NAMED = {"deployment_id": "credit.v1", "application": "credit", "api_version": "v1"}


class TestDeploy:
    def test_deploys_what_was_promoted(self) -> None:
        given(DEPLOYMENT).when(DEPLOY).then(DEPLOYED)

    def test_refuses_what_was_not_promoted(self) -> None:
        given(DEPLOYMENT).when(replace(DEPLOY, promotion=None)).refused(NotPromoted)

    def test_refuses_another_digest_than_was_promoted(self) -> None:
        given(DEPLOYMENT).when(replace(DEPLOY, version_digest="d9")).refused(DigestDiffers)

    def test_refuses_a_second_deployment_at_the_same_place(self) -> None:
        given(DEPLOYMENT, DEPLOYED).when(DEPLOY).refused(AlreadyDeployed)

    def test_a_retired_place_is_free_again(self) -> None:
        given(DEPLOYMENT, DEPLOYED, RETIRED).when(DEPLOY).then(DEPLOYED)


class TestReplace:
    def test_follows_production(self) -> None:
        given(DEPLOYMENT, DEPLOYED).when(REPLACE).then(REPLACED)

    def test_told_twice_does_it_once(self) -> None:
        given(DEPLOYMENT, DEPLOYED, REPLACED).when(REPLACE).then()

    def test_a_pinned_deployment_stays(self) -> None:
        given(DEPLOYMENT, replace(DEPLOYED, follows="version")).when(REPLACE).then()

    def test_refuses_a_version_without_promotion(self) -> None:
        given(DEPLOYMENT, DEPLOYED).when(replace(REPLACE, promotion=None)).refused(NotPromoted)

    def test_says_what_could_not_take_over(self) -> None:
        note = NoteLoadFailure(version_id="credit-default.4", code="c", detail="d", at=NOW)
        failed = LoadFailed(**NAMED, version_id="credit-default.4", code="c", detail="d", at=NOW)
        given(DEPLOYMENT, DEPLOYED).when(note).then(failed)


class TestConsumers:
    def test_grants_once(self) -> None:
        granted = ConsumerGranted(**NAMED, consumer="call-centre", by="Olga")
        given(DEPLOYMENT, DEPLOYED).when(GrantConsumer(consumer="call-centre", by="Olga")).then(granted)
        given(DEPLOYMENT, DEPLOYED, granted).when(GrantConsumer(consumer="call-centre", by="Olga")).refused(
            AlreadyGranted
        )

    def test_revokes_what_was_granted(self) -> None:
        revoked = ConsumerRevoked(**NAMED, consumer="bank-app", by="Olga")
        given(DEPLOYMENT, DEPLOYED).when(RevokeConsumer(consumer="bank-app", by="Olga")).then(revoked)
        given(DEPLOYMENT, DEPLOYED, revoked).when(RevokeConsumer(consumer="bank-app", by="Olga")).refused(NotGranted)


@pytest.mark.parametrize(
    "command",
    [
        GrantConsumer(consumer="x", by="Olga"),
        RevokeConsumer(consumer="x", by="Olga"),
        Retire(reason="r", by="O", at=NOW),
    ],
)
def test_nothing_changes_where_nothing_is_deployed(command: Any) -> None:
    given(DEPLOYMENT).when(command).refused(NotDeployed)
    given(DEPLOYMENT, DEPLOYED, RETIRED).when(command).refused(NotDeployed)
