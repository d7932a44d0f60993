"""A recorded fact as an event of the Elastic Common Schema 8, pure; None for a fact that is no security event.

What stands in it: who, what, on what, why, the outcome and the rule, and the place in the ledger, where its proof is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from letopis.common.envelope import Record, time_text
from letopis.common.leaf import leaf_hash

VERSION = "8.17.0"
# Values of event.severity, those of syslog: the smaller the graver.
ALERT, WARNING, NOTICE, INFORMATIONAL = 1, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Shape:
    """How facts of one type are told: categories and types of ECS, the outcome, and the gravity."""

    category: tuple[str, ...]
    type: tuple[str, ...]
    outcome: str = "success"
    severity: int = INFORMATIONAL
    kind: str = "event"


_IAM_CREATED, _IAM_CHANGED = Shape(("iam",), ("admin", "creation")), Shape(("iam",), ("admin", "change"))
_IAM_ENDED = Shape(("iam",), ("admin", "deletion"), severity=NOTICE)
_READ = Shape(("database",), ("access",))
_SHOWN = Shape(("file",), ("access",), severity=NOTICE)
_CHANGED = Shape(("configuration",), ("change",), severity=NOTICE)
_ALARM = Shape(("intrusion_detection",), ("info",), "failure", ALERT, "alert")

SHAPES: Mapping[str, Shape] = {
    "registry.principal.registered": _IAM_CREATED,
    "registry.principal.role_granted": _IAM_CHANGED,
    "registry.principal.role_revoked": _IAM_CHANGED,
    "registry.principal.group_joined": _IAM_CHANGED,
    "registry.principal.group_left": _IAM_CHANGED,
    "registry.principal.end_changed": _IAM_CHANGED,
    "registry.principal.ended": _IAM_ENDED,
    "registry.principal.key_enrolled": _IAM_CREATED,
    "registry.principal.key_revoked": _IAM_ENDED,
    "registry.principal.revealed": _SHOWN,
    "registry.access_review.exported": _SHOWN,
    "registry.promotion.approved": _CHANGED,
    "registry.promotion.rejected": _CHANGED,
    "registry.production.entered": _CHANGED,
    "registry.production.rolled_back": Shape(("configuration",), ("change",), severity=WARNING),
    "features.grant.issued": _IAM_CREATED,
    "features.grant.revoked": _IAM_ENDED,
    "features.source.classes_confirmed": _CHANGED,
    "access.read.started": _READ,
    "access.read.refused": Shape(("database",), ("access", "error"), "failure", WARNING),
    "access.lease.granted": _READ,
    "inference.decision.revealed": _SHOWN,
    "inference.deployment.deployed": _CHANGED,
    "inference.deployment.replaced": _CHANGED,
    "inference.deployment.retired": _CHANGED,
    "decisions.journal.damaged": _ALARM,
    "monitoring.alert.opened": Shape(("process",), ("info",), "unknown", WARNING, "alert"),
    "audit.incident.opened": _ALARM,
    "audit.incident.closed": _CHANGED,
    "audit.continuation.requested": _CHANGED,
    "audit.continuation.approved": Shape(("configuration",), ("change",), severity=WARNING),
    "audit.evidence.read": _SHOWN,
    "audit.pack.read": _SHOWN,
    "audit.report.read": _SHOWN,
    "audit.subject.searched": _SHOWN,
    "audit.subject.hold_placed": _CHANGED,
    "audit.subject.hold_lifted": _CHANGED,
    "audit.subject.erasure_approved": Shape(("database",), ("change",), severity=WARNING),
    "audit.subject.key_destroyed": Shape(("database",), ("change",), severity=WARNING),
}
_DENIED = Shape(("api",), ("access", "denied"), "failure", WARNING)
_OBJECT = ("promotion_id", "version_id", "model_id", "grant_id", "source_id", "read_id", "decision_id", "deployment_id")


def shape_of(type: str) -> Shape | None:
    """How a type is told; every ledger's denials are told alike."""
    return _DENIED if type.endswith(".authorization.denied") else SHAPES.get(type)


def event(record: Record, sequence: int) -> dict[str, Any] | None:
    """The event of a fact; `sequence` counts the events of its ledger from 1."""
    shape = shape_of(record.type)
    if shape is None:
        return None
    data, meta = json.loads(record.data), json.loads(record.meta)
    actor, authorization = meta.get("actor") or {}, meta.get("authorization") or {}
    person = actor.get("person") or data.get("person") or data.get("by") or actor.get("service") or "unknown"
    login = actor.get("login") or data.get("login") or person
    rules = [one for one in data.get("rules", ()) if isinstance(one, str)]
    rules = rules or ([str(data["code"])] if "code" in data else [])
    action = data.get("action") or authorization.get("action") or record.type
    labels = {
        "letopis_ledger": record.ledger,
        "letopis_position": str(record.position),
        "letopis_leaf_hash": leaf_hash(record).hex(),
        "letopis_purpose": meta.get("purpose") or data.get("purpose") or "",
        "letopis_object": _object(record, data),
        "letopis_policy_revision": authorization.get("revision") or "",
        "letopis_correlation_id": meta.get("correlation_id") or "",
    }
    told: dict[str, Any] = {
        "@timestamp": time_text(record.recorded_at),
        "ecs": {"version": VERSION},
        "event": {
            "id": str(record.event_id),
            "kind": shape.kind,
            "category": list(shape.category),
            "type": list(shape.type),
            "action": action,
            "code": record.type,
            "outcome": shape.outcome,
            "severity": shape.severity,
            "module": "letopis",
            "dataset": f"letopis.{record.ledger}",
            "provider": "letopis-audit",
            "sequence": sequence,
        },
        "message": f"{record.type} by {person}" + (f": {', '.join(rules)}" if rules else ""),
        "user": {"id": person, "name": login},
        "related": {"user": sorted({person, login})},
        "service": {"name": f"letopis-{record.ledger}", "type": "letopis"},
        "labels": {name: value for name, value in labels.items() if value},
    }
    if rules:
        told["rule"] = {"id": rules[0], "name": ", ".join(rules), "ruleset": "letopis"}
        told["event"]["reason"] = ", ".join(rules)
    return told


def _object(record: Record, data: Mapping[str, Any]) -> str:
    if "object_type" in data:
        return f"{data['object_type']} {data['object_id']}"
    return next((f"{name.removesuffix('_id')} {data[name]}" for name in _OBJECT if data.get(name)), record.stream)
