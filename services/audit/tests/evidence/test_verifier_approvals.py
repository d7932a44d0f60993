"""Approvals in a pack: signed by a key that was the person's own at that moment, or named."""

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.evidence.program import remade
from letopis.audit.evidence.verifier.approvals import checked
from letopis.audit.evidence.verifier.pack import verify
from letopis.common.envelope import record_to_json
from letopis.common.identity.approval import ApprovalStatement, key_id, sign
from letopis.registry import contract

BORIS = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
RAW = BORIS.public_key().public_bytes_raw()
STATEMENT = {
    "promotion": "p1",
    "version_digest": "d" * 64,
    "environment_digest": "e" * 64,
    "policy_revision": "r1",
    "person": "boris",
    "key_id": key_id(RAW),
}
WHERE = {"promotion_id": "p1", "version_id": "credit.1", "model_id": "credit", "stage": "production", "tier": 1}
ENROLLED = contract.KeyEnrolled(login="boris", person="boris", key_id=key_id(RAW), public_key=b64encode(RAW).decode())
REVOKED = contract.KeyRevoked(login="boris", key_id=key_id(RAW), reason="lost")
REQUESTED = contract.PromotionRequested(
    **WHERE, version_digest="d" * 64, environment_digest="e" * 64, evidence={}, policy_revision="r1",
    approvals_needed=1, author="anna", requester="anna", comment="",
)  # fmt: skip


def approved(**changed):
    signature = sign(ApprovalStatement(verdict="approve", **STATEMENT), BORIS)
    about = {"person": "boris", "key_id": key_id(RAW), "signature": signature, "comment": "", **WHERE}
    digests = {name: STATEMENT[name] for name in ("version_digest", "environment_digest", "policy_revision")}
    return contract.PromotionApproved(**about | digests | changed)


def rejected():
    signature = sign(ApprovalStatement(verdict="reject", **STATEMENT), BORIS)
    return contract.PromotionRejected(
        **WHERE, version_digest="d" * 64, person="boris", key_id=key_id(RAW), signature=signature, comment="no"
    )


def told(kit, *facts):
    records = []
    for position, fact in enumerate(facts, 1):
        encoded = contract.CONTRACT.encode(fact)
        records.append(kit.record("registry", position, encoded.type, json.loads(encoded.data)))
    return records


def judged(kit, *facts):
    good, faults = checked([record_to_json(one) for one in told(kit, *facts)])
    return good, [fault.place for fault in faults]


class TestApproval:
    """A32, C03: neither an administrator nor a service can forge an approval."""

    def test_by_the_persons_own_key_is_good(self, kit):
        assert judged(kit, ENROLLED, REQUESTED, approved()) == (1, [])

    def test_that_rejects_takes_the_digests_of_its_request(self, kit):
        assert judged(kit, ENROLLED, REQUESTED, rejected()) == (1, [])

    @pytest.mark.parametrize(
        "change",
        [
            {"version_digest": "f" * 64},
            {"environment_digest": "f" * 64},
            {"policy_revision": "r2"},
            {"promotion_id": "p2"},
            {"person": "vera"},
            {"key_id": "0" * 16},
            {"signature": "AAAA"},
            {"signature": "not base64"},
        ],
    )
    def test_of_anything_else_is_named(self, kit, change):
        assert judged(kit, ENROLLED, REQUESTED, approved(**change)) == (0, ["registry/3"])

    def test_before_the_key_was_enrolled_is_named(self, kit):
        assert judged(kit, REQUESTED, approved(), ENROLLED) == (0, ["registry/2"])

    def test_after_the_key_was_revoked_is_named(self, kit):
        assert judged(kit, ENROLLED, REQUESTED, REVOKED, approved()) == (0, ["registry/4"])


class TestPack:
    def test_with_a_forged_approval_fails_though_all_is_sealed(self, kit, draft):
        draft.registry = told(kit, ENROLLED, REQUESTED, approved())
        assert verify(draft.made(), remade).good
        draft.registry = told(kit, ENROLLED, REQUESTED, approved(version_digest="f" * 64))
        assert [fault.place for fault in verify(draft.made(), remade).faults] == ["registry/3"]
