"""What may be deployed and what takes over: signature, monitors and artifacts are asked at every load."""

from typing import Any

import pytest


class TestDeploy:
    async def test_refuses_a_version_without_completed_promotion(self, bank: Any) -> None:
        version_id = await bank.registry.register(1)
        answer = await bank.deploy(version_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "deployment.not_promoted")

    async def test_refuses_a_version_nobody_told_of(self, bank: Any) -> None:
        assert (await bank.deploy("credit-default.77")).status_code == 404

    async def test_refuses_without_monitors(self, bank: Any) -> None:
        version_id = await bank.registry.register(1, monitors=[])
        await bank.registry.promote(version_id)
        answer = await bank.deploy(version_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "version.monitors_missing")

    async def test_refuses_an_artifact_that_was_changed(self, bank: Any) -> None:
        version_id = await bank.registry.register(1)
        await bank.registry.promote(version_id)
        await bank.settle()
        bundle = (await _bundle(bank, version_id)).manifest
        path = bank.registry.objects.path(bundle["artifacts"][0]["sha256"])
        spoiled = bytearray(path.read_bytes())
        spoiled[100] ^= 1
        path.write_bytes(spoiled)
        answer = await bank.deploy(version_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "version.artifact_bad")

    async def test_refuses_a_signature_of_another_key(self, bank: Any) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        from letopis.registry.version.signing import Signer

        genuine = bank.registry.signer
        bank.registry.signer = Signer(Ed25519PrivateKey.generate())
        version_id = await bank.registry.register(1)
        bank.registry.signer = genuine
        await bank.registry.promote(version_id)
        answer = await bank.deploy(version_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "version.signature_invalid")

    async def test_an_author_does_not_deploy_their_own_version(self, bank: Any) -> None:
        version_id = await bank.registry.register(1)
        await bank.registry.promote(version_id)
        await bank.settle()
        body = {"application": "credit", "version_id": version_id}
        answer = await bank.ask("POST", "/v1/deployments", "anna", json=body)
        assert answer.status_code == 403
        assert {one["rule"] for one in answer.json()["reasons"]} == {"role.not_granted", "deployment.own_version"}


class TestFollowProduction:
    async def test_a_promotion_takes_over_and_a_rollback_takes_back(self, bank: Any, clients: list[Any]) -> None:
        first, second = await bank.registry.register(1), await bank.registry.register(2, "sklearn")
        await bank.registry.promote(first)
        assert (await bank.deploy(first)).status_code == 201
        entered = await bank.registry.promote(second, first)
        await bank.react(entered)
        assert (await bank.score(clients[0])).json()["model"]["version_id"] == second
        rolled = await bank.registry.roll_back(second, first)
        await bank.react(rolled)
        await bank.react(rolled)
        assert (await bank.score(clients[0])).json()["model"]["version_id"] == first
        records = await bank.resources.store.load("inference", "deployment:credit.v1")
        assert [one.type.rpartition(".")[2] for one in records] == ["deployed", "replaced", "replaced"]

    async def test_what_cannot_be_loaded_leaves_the_old_version_answering(self, bank: Any, clients: list[Any]) -> None:
        first, second = await bank.registry.register(1), await bank.registry.register(2, monitors=[])
        await bank.registry.promote(first)
        assert (await bank.deploy(first)).status_code == 201
        await bank.react(await bank.registry.promote(second, first))
        assert (await bank.score(clients[0])).json()["model"]["version_id"] == first
        await bank.settle()
        (shown,) = (await bank.ask("GET", "/v1/deployments", "olga")).json()
        assert "monitors" in shown["note"]


async def test_every_route_is_guarded(bank: Any) -> None:
    from letopis.common.testing.routes import assert_guarded

    await assert_guarded(bank.app, public={"GET /healthz", "GET /readyz", "GET /metrics"})


@pytest.mark.parametrize("by", ["bank-app", "irina"])
async def test_who_may_not_deploy(bank: Any, by: str) -> None:
    version_id = await bank.registry.register(1)
    await bank.settle()
    body = {"application": "credit", "version_id": version_id}
    assert (await bank.ask("POST", "/v1/deployments", by, json=body)).status_code == 403


async def _bundle(bank: Any, version_id: str) -> Any:
    from letopis.inference.deployment.views import candidate

    found = await candidate(bank.resources.views, version_id)
    assert found is not None
    return found.bundle
