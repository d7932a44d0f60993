"""The history of one decision, pure: what was known at that second, who had approved, and what came after."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from letopis.audit.history import as_of
from letopis.audit.history.cited import Cited

PROMOTION = "registry.promotion."
STRONGEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The facts around a decision: of registry, inference, features and monitoring until then, and those since."""

    lease: Cited | None
    registry: Sequence[Cited]
    inference: Sequence[Cited]
    datasets: Sequence[Cited]
    monitoring: Sequence[Cited]
    since: Sequence[Cited]
    principals: Sequence[Cited] = field(default_factory=tuple)


def told(decision: Cited, around: Around) -> tuple[dict[str, Any], list[Cited]]:
    """The history, and every fact that it cites."""
    fact = decision.fact
    version = _last(around.registry, "registry.version.registered", version_id=fact["version_id"])
    promotions = _of(around.registry, PROMOTION, version_id=fact["version_id"])
    evidence = _of(around.registry, "registry.evidence.", version_id=fact["version_id"])
    model = next((one for one in as_of.models(around.registry) if one["model_id"] == fact["model_id"]), None)
    answering = _of(
        around.inference,
        "inference.deployment.",
        application=fact["application"],
        api_version=fact["api_version"],
    )
    monitors = _of(around.monitoring, "monitoring.monitor.", monitor_id=fact["version_id"])
    alerts = _open(_of(around.monitoring, "monitoring.alert.", model_id=fact["model_id"]), around.monitoring)
    consumer = next((one for one in as_of.rights(around.principals) if one["login"] == fact["consumer"]), None)
    pieces = [one for one in (decision, around.lease, version) if one is not None]
    pieces += [*promotions, *evidence, *answering, *around.datasets, *monitors, *alerts, *around.since]
    document = {
        "decision": {
            **decision.told(),
            "fact": {**fact, "inputs": "sealed"},
            "subject": f"{fact['entity']}:{fact['entity_id']}",
        },
        "allowed_by": around.lease.told() | {"question": _question(around.lease)} if around.lease else None,
        "consumer": consumer,
        "version": version.told() if version else None,
        "model": model,
        "approvals": [one.told() for one in promotions],
        "approved": any(
            one.record.type == "registry.promotion.completed" and one.fact["version_digest"] == fact["version_digest"]
            for one in promotions
        ),
        "evidence": [one.told() for one in evidence],
        "deployment": [one.told() for one in answering],
        "training_data": [one.told("dataset_id", "name", "purpose", "rows", "built_by") for one in around.datasets],
        "monitors": [one.told("monitor_id", "dataset_id", "window_seconds", "thresholds", "by") for one in monitors],
        "alerts_open_then": [one.told() for one in alerts],
        "since": [one.told() for one in around.since],
    }
    return document, pieces


def _question(lease: Cited) -> dict[str, Any]:
    """Policy's question and answer that stand behind the decision."""
    authorization = lease.meta.get("authorization") or {}
    return {name: authorization.get(name) for name in ("action", "revision", "input", "result")}


def _of(facts: Sequence[Cited], kind: str, **values: str) -> list[Cited]:
    return [
        one
        for one in facts
        if one.record.type.startswith(kind) and all(one.fact.get(name) == value for name, value in values.items())
    ]


def _last(facts: Sequence[Cited], kind: str, **values: str) -> Cited | None:
    found = _of(facts, kind, **values)
    return found[-1] if found else None


def _open(opened: Sequence[Cited], facts: Sequence[Cited]) -> list[Cited]:
    """Alerts that were opened and that nobody had resolved."""
    over = {
        (one.fact["alert_id"], one.fact["episode"]) for one in facts if one.record.type == "monitoring.alert.resolved"
    }
    return [
        one
        for one in opened
        if one.record.type == "monitoring.alert.opened" and (one.fact["alert_id"], one.fact["episode"]) not in over
    ]
