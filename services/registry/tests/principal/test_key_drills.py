"""Drills of approvers' keys: rotated, lost, stolen, of leavers; proofs stand, and what is in doubt is named."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from letopis.common.identity.approval import ApprovalStatement, key_id, verify


def raw(registry, login):
    return registry.keys[login].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


async def new_key(registry, login):
    registry.keys[login] = Ed25519PrivateKey.generate()
    path = f"/v1/principals/{login}/keys"
    answer = await registry.post(path, login, {"public_key": b64encode(raw(registry, login)).decode()})
    assert answer.status_code == 201, answer.text


async def facts_of(registry, name):
    facts = registry.resources.store.read("registry", 0, 1000)
    return [one for one in await facts if one.type == name]


@pytest.fixture
async def signed(stocked):
    """Boris has signed a version into production, and another one waits for him."""
    body = {"login": "pavel", "person": "pavel", "name": "Pavel", "roles": ["security_officer"]}
    assert (await stocked.post("/v1/principals", "olga", body)).status_code == 201
    done = await stocked.promote("credit.1")
    asked = (await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})).json()["facts"][0]["data"]
    return stocked, done, asked


async def approve(registry, asked, by="boris"):
    return await registry.post(f"/v1/promotions/{asked['promotion_id']}/approvals", by, registry.signed(asked, by))


async def still_proves(registry, done, public_key):
    """Whether the signature on record verifies under the key that the facts of its time name."""
    seen = (await registry.get(f"/v1/promotions/{done['promotion_id']}", "irina")).json()
    vote = seen["approvals"][0]
    statement = ApprovalStatement(
        promotion=done["promotion_id"],
        verdict="approve",
        version_digest=done["version_digest"],
        environment_digest=done["environment_digest"],
        policy_revision=done["policy_revision"],
        person="boris",
        key_id=vote["key_id"],
    )
    enrolled = [
        one
        for one in await facts_of(registry, "registry.principal.key_enrolled")
        if vote["key_id"].encode() in one.data
    ]
    assert len(enrolled) == 1
    return verify(statement, vote["signature"], public_key)


class TestDrill:
    async def test_rotated(self, signed):
        registry, done, asked = signed
        old, old_private = b64encode(raw(registry, "boris")).decode(), registry.keys["boris"]
        await new_key(registry, "boris")
        gone = await registry.send(
            "DELETE", f"/v1/principals/boris/keys/{key_id(b64decode(old))}?reason=rotated", "boris"
        )
        assert gone.status_code == 201
        new, registry.keys["boris"] = registry.keys["boris"], old_private
        refused = await approve(registry, asked)
        assert refused.json()["code"] == "approval.signature_invalid"
        registry.keys["boris"] = new
        assert (await approve(registry, asked)).status_code == 201
        assert await still_proves(registry, done, old)
        taken = await registry.post("/v1/principals/boris/keys", "boris", {"public_key": old})
        assert taken.json()["code"] == "principal.key_taken"

    async def test_lost(self, signed):
        registry, done, asked = signed
        old = b64encode(raw(registry, "boris")).decode()
        path = f"/v1/principals/boris/keys/{key_id(b64decode(old))}?reason=lost"
        assert (await registry.send("DELETE", path, "anna")).status_code == 403
        assert (await registry.send("DELETE", path, "pavel")).status_code == 201
        assert (await approve(registry, asked)).json()["code"] == "approval.signature_invalid"
        await new_key(registry, "boris")
        assert (await approve(registry, asked)).status_code == 201
        assert await still_proves(registry, done, old)

    async def test_stolen_names_all_that_was_signed_since(self, signed):
        registry, done, asked = signed
        old, id = b64encode(raw(registry, "boris")).decode(), key_id(raw(registry, "boris"))
        since = datetime.now(UTC)
        # The thief signs what waits, with the right key and in the person's session.
        assert (await approve(registry, asked)).status_code == 201
        theft = await registry.post(f"/v1/principals/boris/keys/{id}/theft", "pavel", {"since": since.isoformat()})
        assert theft.status_code == 201, theft.text
        assert [one["type"] for one in theft.json()["facts"]] == [
            "registry.principal.key_stolen",
            "registry.principal.key_revoked",
        ]
        path = f"/v1/principals/boris/keys/{id}/signatures"
        named = (await registry.send("GET", path, "irina", params={"since": since.isoformat()})).json()
        assert [(one["promotion_id"], one["in_production"]) for one in named] == [(asked["promotion_id"], True)]
        everything = (await registry.get(path, "irina")).json()
        assert [one["promotion_id"] for one in everything] == [asked["promotion_id"], done["promotion_id"]]
        assert (await registry.get(path, "anna")).status_code == 403
        again = (await registry.post("/v1/promotions", "anna", {"version_id": done["version_id"]})).json()
        assert (await approve(registry, again["facts"][0]["data"])).json()["code"] == "approval.signature_invalid"
        # What was signed before the theft is in nobody's doubt.
        assert await still_proves(registry, done, old)

    async def test_of_a_leaver(self, signed):
        registry, done, asked = signed
        old, id = b64encode(raw(registry, "boris")).decode(), key_id(raw(registry, "boris"))
        assert (await registry.post("/v1/principals/boris/end", "olga")).status_code == 201
        assert (await approve(registry, asked)).status_code == 401
        assert await still_proves(registry, done, old)
        # Found out later: the key had been stolen while it was good.
        since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
        assert (await registry.post(f"/v1/principals/boris/keys/{id}/theft", "pavel", since)).status_code == 201
        unknown = await registry.post("/v1/principals/boris/keys/0000/theft", "pavel", since)
        assert unknown.status_code == 409
