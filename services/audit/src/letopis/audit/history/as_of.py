"""What facts up to a moment say, pure: which version ran, who could do what, who read which column."""

from collections.abc import Iterable, Mapping
from typing import Any

from letopis.audit.history.cited import Cited

MODELS = (
    *("registry.model.registered", "registry.model.use_case_assigned", "registry.use_case.proposed"),
    *("registry.use_case.approved", "registry.use_case.rejected", "registry.version.registered"),
    *("registry.promotion.completed", "registry.production.entered", "registry.production.rolled_back"),
)
RIGHTS = (
    *("registry.principal.registered", "registry.principal.role_granted", "registry.principal.role_revoked"),
    *("registry.principal.group_joined", "registry.principal.group_left", "registry.principal.ended"),
    *("registry.principal.end_changed", "registry.principal.key_enrolled", "registry.principal.key_revoked"),
)
READS = ("access.read.started", "access.read.completed", "access.read.failed")
GRANTS = ("features.grant.issued", "features.grant.revoked")

# What a login holds, by which field of the fact it is named, and whether the fact gives or takes it.
_HELD = {
    "role_granted": ("roles", "role", True),
    "role_revoked": ("roles", "role", False),
    "group_joined": ("groups", "group", True),
    "group_left": ("groups", "group", False),
    "key_enrolled": ("keys", "key_id", True),
    "key_revoked": ("keys", "key_id", False),
}


def models(facts: Iterable[Cited]) -> list[dict[str, Any]]:
    """Every model with what answered in production, since when and by whose approval."""
    found: dict[str, dict[str, Any]] = {}
    cases: dict[str, dict[str, Any]] = {}
    approvers: dict[str, list[str]] = {}
    for one in facts:
        fact = one.fact
        match one.record.type:
            case "registry.use_case.proposed":
                cases[fact["use_case_id"]] = {"state": "proposed", "tier": fact["tier"], "name": fact["name"]}
            case "registry.use_case.approved" | "registry.use_case.rejected":
                cases.setdefault(fact["use_case_id"], {})["state"] = one.record.type.rpartition(".")[2]
            case "registry.promotion.completed":
                approvers[fact["promotion_id"]] = list(fact["approvers"])
            case "registry.model.registered":
                _model(found, fact["model_id"]).update(name=fact["name"], owner=fact["owner"])
            case "registry.model.use_case_assigned":
                _model(found, fact["model_id"])["use_case_id"] = fact["use_case_id"]
            case "registry.version.registered":
                _model(found, fact["model_id"])["versions"].append(fact["version_id"])
            case "registry.production.entered":
                _model(found, fact["model_id"])["production"] = {
                    "version_id": fact["version_id"],
                    "version_digest": fact["version_digest"],
                    "how": "promoted",
                    "promotion_id": fact["promotion_id"],
                    "approvers": approvers.get(fact["promotion_id"], []),
                    **_since(one),
                }
            case "registry.production.rolled_back":
                _model(found, fact["model_id"])["production"] = {
                    "version_id": fact["to_version_id"],
                    "version_digest": fact["to_version_digest"],
                    "how": "rolled back",
                    "promotion_id": "",
                    "approvers": [fact["by"]],
                    **_since(one),
                }
            case _:
                pass
    return [{**model, "use_case": cases.get(model["use_case_id"])} for _, model in sorted(found.items())]


def rights(facts: Iterable[Cited]) -> list[dict[str, Any]]:
    """Every login with the roles, groups and keys it had, each with where it was given and by whom."""
    found: dict[str, dict[str, Any]] = {}
    for one in facts:
        fact, what = one.fact, one.record.type.rpartition(".")[2]
        if what == "registered":
            found[fact["login"]] = {
                "login": fact["login"],
                "person": fact["person"],
                "kind": fact["kind"],
                "organisation": fact["organisation"],
                "until": fact["until"],
                "ended": False,
                "roles": {},
                "groups": {},
                "keys": {},
            }
            continue
        login = found.get(fact["login"])
        if login is None:
            continue
        if what in _HELD:
            held, name, given = _HELD[what]
            if given:
                login[held][fact[name]] = _given(one)
            else:
                login[held].pop(fact[name], None)
        elif what == "end_changed":
            login["until"] = fact["until"]
        elif what == "ended":
            login["ended"] = True
    return [login for _, login in sorted(found.items())]


def reads(facts: Iterable[Cited], grants: Iterable[Cited], source: str, column: str) -> list[dict[str, Any]]:
    """Every read in which a column of a source (of any, if none is named) was seen: by whom, why, how it was shown."""
    issued = {one.fact["grant_id"]: one for one in grants if one.record.type == "features.grant.issued"}
    found: dict[str, dict[str, Any]] = {}
    for one in facts:
        fact = one.fact
        if one.record.type != "access.read.started":
            if fact["read_id"] in found:
                found[fact["read_id"]]["ended"] = one.told()
            continue
        seen = _columns(fact["planned"]) | _columns(fact["parsed"])
        shown = [(its, name) for its, name in sorted(seen) if name == column and source in ("", its)]
        if shown:
            found[fact["read_id"]] = {
                **one.told("read_id", "kind", "object_id", "person", "purpose"),
                "columns": [
                    {"source": its, "column": name, "shown": (fact["masks"].get(its) or {}).get(name, "as it is")}
                    for its, name in shown
                ],
                "grants": [
                    issued[grant].told("grant_id", "grantee", "purpose", "reason", "issued_by", "not_after", "unmask")
                    for grant in fact["grants"]
                    if grant in issued
                ],
                "ended": None,
            }
    return list(found.values())


def _columns(told: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(source, name) for source, names in told.items() for name in names}


def _model(found: dict[str, dict[str, Any]], model_id: str) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "model_id": model_id,
        "name": "",
        "owner": "",
        "use_case_id": "",
        "versions": [],
        "production": None,
    }
    return found.setdefault(model_id, empty)


def _since(one: Cited) -> dict[str, Any]:
    told = one.told()
    return {"since": told["recorded_at"], "place": told["place"], "event_id": told["event_id"]}


def _given(one: Cited) -> dict[str, str]:
    told = one.told()
    return {"by": told["who"], "at": told["recorded_at"], "place": told["place"]}
