"""Approving or rejecting a promotion: read the exact digests, sign them with the own key, send the signature."""

from dataclasses import asdict
from typing import Any, Literal

from letopis.common.identity.approval import ApprovalStatement, sign
from letopis.sdk.client import Letopis
from letopis.sdk.keys import load_key

Verdict = Literal["approve", "reject"]
_DOORS = {"approve": "approvals", "reject": "rejections"}


def statement_of(client: Letopis, promotion_id: str, verdict: Verdict) -> ApprovalStatement:
    """What would be signed, from the promotion as it is now; show it to the person before signing."""
    asked = client.registry.get(f"/v1/promotions/{promotion_id}")
    principal = client.registry.get(f"/v1/principals/{client.login}")
    return ApprovalStatement(
        promotion=promotion_id,
        verdict=verdict,
        version_digest=asked["version_digest"],
        environment_digest=asked["environment_digest"],
        policy_revision=asked["policy_revision"],
        person=principal["person"],
        key_id=load_key(client).key_id,
    )


def decide(client: Letopis, statement: ApprovalStatement, comment: str = "") -> dict[str, Any]:
    """Sign the statement and send it; the receipt. A Problem says which rule refuses, whose it is, what to do."""
    told = asdict(statement)
    body = {
        name: told[name] for name in ("verdict", "version_digest", "environment_digest", "policy_revision", "key_id")
    }
    body |= {"signature": sign(statement, load_key(client).private), "comment": comment}
    path = f"/v1/promotions/{statement.promotion}/{_DOORS[statement.verdict]}"
    receipt: dict[str, Any] = client.registry.post(path, body)
    return receipt


def approve(client: Letopis, promotion_id: str, comment: str = "") -> dict[str, Any]:
    """Approve; the receipt."""
    return decide(client, statement_of(client, promotion_id, "approve"), comment)


def reject(client: Letopis, promotion_id: str, comment: str) -> dict[str, Any]:
    """Reject; the receipt."""
    return decide(client, statement_of(client, promotion_id, "reject"), comment)
