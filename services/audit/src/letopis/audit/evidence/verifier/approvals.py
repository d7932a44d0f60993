"""Approvals of the registry, checked against the approvers' own keys: no service can have forged them."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from . import ed25519
from .fault import Fault

HEADER = b"letopis-approval-v1\n"
# By login and key id: the person whose key it is, and the raw public key.
Keys = dict[tuple[str, str], tuple[str, bytes]]
VERDICTS = {"registry.promotion.approved": "approve", "registry.promotion.rejected": "reject"}


def checked(records: Iterable[Mapping[str, str]]) -> tuple[int, list[Fault]]:
    """How many approvals and rejections of a whole registry ledger are signed as they must be, and the others.

    The key must be enrolled for the person and not revoked at that moment; the signature is Ed25519 over the header
    and RFC 8785 JSON of seven strings. A rejection takes what it does not repeat from its request.
    """
    keys: Keys = {}
    requests: dict[str, Any] = {}
    good, faults = 0, []
    for record in records:
        kind = record["type"]
        if kind not in _READ:
            continue
        fact = json.loads(record["data"])
        if kind == "registry.principal.key_enrolled":
            keys[fact["login"], fact["key_id"]] = fact["person"], _decoded(fact["public_key"])
        elif kind == "registry.principal.key_revoked":
            keys.pop((fact["login"], fact["key_id"]), None)
        elif kind == "registry.promotion.requested":
            requests[fact["promotion_id"]] = fact
        elif _signed(kind, fact, requests.get(fact["promotion_id"], {}), keys):
            good += 1
        else:
            place = f"{record['ledger']}/{record['position']}"
            faults.append(Fault(place, f"is not signed by an enrolled key of {fact['person']}"))
    return good, faults


def _signed(kind: str, fact: Any, request: Any, keys: Keys) -> bool:
    about = {**request, **fact}
    statement = {
        "promotion": about["promotion_id"],
        "verdict": VERDICTS[kind],
        "version_digest": about["version_digest"],
        "environment_digest": about.get("environment_digest", ""),
        "policy_revision": about.get("policy_revision", ""),
        "person": about["person"],
        "key_id": about["key_id"],
    }
    told = json.dumps(statement, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    signature = _decoded(fact["signature"])
    return any(
        person == fact["person"]
        and sha256(key).hexdigest()[:16] == key_id == fact["key_id"]
        and ed25519.verify(key, HEADER + told, signature)
        for (_, key_id), (person, key) in keys.items()
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


_READ = frozenset(VERDICTS) | {
    "registry.principal.key_enrolled",
    "registry.principal.key_revoked",
    "registry.promotion.requested",
}
