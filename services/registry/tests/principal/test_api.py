"""Principals over HTTP: the first token works once, roles are given by others, keys are one's own."""

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class TestFirst:
    async def test_another_token_enrols_nobody(self, registry):
        answer = await registry.post("/v1/principals/first", "mallory", {"token": "guess", "person": "m", "name": "M"})
        assert [one["rule"] for one in answer.json()["reasons"]] == ["enrolment.wrong_token"]

    async def test_the_token_works_once(self, staffed):
        body = {"token": "the token of this installation", "person": "mallory", "name": "Mallory"}
        answer = await staffed.post("/v1/principals/first", "mallory", body)
        assert [one["rule"] for one in answer.json()["reasons"]] == ["enrolment.used"]


class TestRoles:
    async def test_nobody_gives_roles_to_themselves(self, staffed):
        answer = await staffed.post("/v1/principals/olga/roles", "olga", {"role": "auditor"})
        assert answer.status_code == 403
        assert "roles.own_grant" in [one["rule"] for one in answer.json()["reasons"]]

    async def test_a_toxic_pair_is_refused(self, staffed):
        answer = await staffed.post("/v1/principals/anna/roles", "olga", {"role": "validator"})
        assert [one["rule"] for one in answer.json()["reasons"]] == ["roles.toxic_pair"]

    async def test_a_program_is_a_consumer_and_no_more(self, staffed):
        body = {"login": "shop", "person": "shop", "name": "Shop", "kind": "service", "organisation": "bank"}
        answer = await staffed.post("/v1/principals", "olga", body | {"roles": ["consumer", "validator"]})
        assert [one["rule"] for one in answer.json()["reasons"]] == ["roles.for_people"]
        assert (await staffed.post("/v1/principals", "olga", body | {"roles": ["consumer"]})).status_code == 201
        answer = await staffed.post("/v1/principals/shop/roles", "olga", {"role": "model_owner"})
        assert [one["rule"] for one in answer.json()["reasons"]] == ["roles.for_people"]

    async def test_a_revoked_role_is_gone_at_the_next_request(self, staffed):
        assert (await staffed.get("/v1/models", "irina")).status_code == 200
        await staffed.send("DELETE", "/v1/principals/irina/roles/auditor", "olga")
        assert (await staffed.get("/v1/models", "irina")).status_code == 403

    async def test_unknown_roles_are_named(self, staffed):
        answer = await staffed.post("/v1/principals/boris/roles", "olga", {"role": "wizard"})
        assert answer.status_code == 409
        assert "wizard" in answer.json()["detail"]


class TestKeys:
    async def test_a_key_is_enrolled_by_its_own_person_alone(self, staffed):
        raw = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        body = {"public_key": b64encode(raw).decode()}
        answer = await staffed.post("/v1/principals/boris/keys", "vera", body)
        assert [one["rule"] for one in answer.json()["reasons"]] == ["keys.own_only"]
