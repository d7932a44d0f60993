"""Versions of another registry held against our rules: the bundle's parts, evidence by tier, use case, four eyes.

Policy itself is asked, by the questions that our own promotion would ask; what another registry cannot know (a second
factor, an emergency) is taken as given, so nothing is invented.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from letopis.common.envelope import time_text
from letopis.common.errors import Invalid
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import ask
from letopis.registry.observing.finding import INVARIANT, Finding
from letopis.registry.observing.mlflow import Seen
from letopis.registry.promotion.decider import EvidenceMissing, PartsMissing, UseCaseMissing
from letopis.registry.version.manifest import FLAVOURS, FORMAT, check, missing, unpinned

STRICTEST = 1
UNFIT = "version.not_registrable"
UNAPPROVED = "promotion.unapproved"
# What no other registry records.
GIVEN = {"independent": True, "hands": "none", "mfa_age": 0, "emergencies_reviewed": True}
# What policy cannot know of a foreign registry: who holds which of our roles, and fields it never had.
UNKNOWABLE = {"role.not_granted", "role.untrained", "input.incomplete"}
ROLES = ["data_scientist", "model_owner", "validator"]


def findings(seen: Iterable[Seen], engine: Engine) -> Iterator[Finding]:
    """All that would have been refused, for versions in use; drafts are free."""
    for one in seen:
        if one.used_from is not None:
            yield from _of_version(one, engine)


def manifest(one: Seen) -> dict[str, Any]:
    """The bundle as far as the other registry holds one."""
    tags = one.tags
    requirements = [part.strip() for part in tags.get("requirements", "").split(",") if part.strip()]
    flavour = next((name for name, file in FLAVOURS.items() if any(path.endswith(file) for path in one.artifacts)), "")
    return {
        "format": FORMAT,
        "flavour": flavour or "xgboost",
        "artifacts": [{"path": path, "sha256": "0" * 64, "bytes": 0} for path in one.artifacts],
        "signature": {"inputs": [{"name": "x", "type": "double"}], "outputs": [{"name": "y", "type": "double"}]},
        "owner": tags.get("owner", ""),
        "support_owner": tags.get("support_owner", ""),
        "language": "python",
        "code": {"commit": one.commit, "authors": [one.author] if one.author else []},
        "training_data": tags.get("training_data", ""),
        "environment": {"digest": tags.get("environment_digest", ""), "requirements": requirements},
        "monitors": tags.get("monitors", ""),
        "documents": tags.get("documents", ""),
    }


def _of_version(one: Seen, engine: Engine) -> Iterator[Finding]:
    bundle, what = manifest(one), f"{one.model}/{one.version}"
    tier = int(one.tags["tier"]) if one.tags.get("tier", "").isdigit() else STRICTEST
    try:
        check(_names_only(bundle))
    except Invalid as refused:
        yield _invariant(UNFIT, what, one.author, refused.detail, "save the model in a safe format and register it")
    if lacking := [*missing(bundle), *(f"exact version of {part}" for part in unpinned(bundle))]:
        remedy = f"add {', '.join(lacking)}"
        yield _invariant(PartsMissing.code, what, one.author, PartsMissing.title, remedy, tuple(lacking))
    if not one.tags.get("use_case"):
        yield _invariant(UseCaseMissing.code, what, one.author, UseCaseMissing.title, "have a use case approved")
    request = _asked(one, tier, "registry.promotion.request", one.author)
    answer = ask(engine, request)
    yield from _denied(answer, what, one.author)
    terms = {told["type"]: told for told in answer["obligations"]}
    shown = {name.removeprefix("evidence.") for name, value in one.tags.items() if value == "passed"}
    if absent := sorted(set(terms["evidence"]["kinds"]) - shown):
        remedy = f"add passed evidence of {', '.join(absent)}"
        yield _invariant(EvidenceMissing.code, what, one.author, EvidenceMissing.title, remedy, tuple(absent))
    approvers = [name.strip() for name in one.tags.get("approved_by", "").split(",") if name.strip()]
    if len(set(approvers)) < terms["approvals"]["count"]:
        yield _invariant(UNAPPROVED, what, one.author, "it went into use without its approvals", "have it approved")
    for approver in dict.fromkeys(approvers):
        yield from _denied(ask(engine, _asked(one, tier, "registry.promotion.approve", approver)), what, approver)


def _asked(one: Seen, tier: int, action: str, person: str) -> dict[str, Any]:
    return {
        "action": action,
        "subject": {
            "person": person,
            "login": person or "unknown",
            "service": "",
            "roles": ROLES,
            "groups": [],
            "act": "",
            "mfa_at": None,
        },
        "purpose": "",
        "object": {
            "type": "version",
            "id": f"{one.model}/{one.version}",
            "tenant": "",
            "attributes": {"model_id": one.model},
        },
        "context": {"time": time_text(one.used_from or one.created_at)},
        "facts": {"tier": tier, "author": one.author, "requester": one.author, "use_case": "approved", **GIVEN},
    }


def _denied(answer: Mapping[str, Any], what: str, whom: str) -> Iterator[Finding]:
    for rule in answer["deny"]:
        if rule not in UNKNOWABLE:
            yield Finding(rule=rule, what=what, whom=whom, **answer["reasons"][rule])


def _invariant(rule: str, what: str, whom: str, message: str, remedy: str, lacking: tuple[str, ...] = ()) -> Finding:
    return Finding(rule=rule, what=what, whom=whom, owner=INVARIANT, message=message, remedy=remedy, examples=lacking)


def _names_only(bundle: dict[str, Any]) -> dict[str, Any]:
    """Paths as they would lie in a bundle of ours: MLflow keeps a model in a folder of its own."""
    return bundle | {"artifacts": [one | {"path": str(one["path"]).rpartition("/")[2]} for one in bundle["artifacts"]]}
