"""The model inventory: every model, its versions, approvals and evidence, told by facts alone.

Pure and of the standard library only: the same file runs in the service and in the verifier of a pack, and
its SHA-256 stands in the report. A check that has no evidence is shown as a gap, never left out.
"""

import csv
import io
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

TYPE = "model_inventory"
SCHEMA_VERSION = 1
LEDGERS = ("registry", "inference")

Record = Mapping[str, str]
Entry = dict[str, Any]
State = dict[str, dict[str, Entry]]


def build(facts: Mapping[str, Iterable[Record]], heads: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The report's exact bytes from the facts of whole ledgers and their heads ({position, root} each).

    Facts of other types than those in TYPES change nothing, so they may be left out; the order is that of the
    ledgers' positions. The same facts and heads always give the same bytes.
    """
    state: State = {"use_cases": {}, "models": {}, "versions": {}, "promotions": {}, "deployments": {}}
    last: dict[str, str] = {}
    for ledger in LEDGERS:
        for record in facts.get(ledger, ()):
            step = _STEPS.get(record["type"])
            if step is not None:
                step(state, json.loads(record["data"]), record)
                last[ledger] = record["recorded_at"]
    models = [_model(state, model) for _, model in sorted(state["models"].items())]
    document = {
        "report": {"type": TYPE, "schema_version": SCHEMA_VERSION, "generator_sha256": generator()},
        "as_of": {ledger: _as_of(head, last.get(ledger)) for ledger, head in sorted(heads.items())},
        "redaction": "none: the report holds no personal data of clients",
        "rows": len(models),
        "summary": {
            "models": len(models),
            "in_production": sum(1 for model in models if model["production"]),
            "versions": sum(len(model["versions"]) for model in models),
            "with_gaps": sum(1 for model in models if model["gaps"]),
        },
        "models": models,
    }
    return (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _as_of(head: Mapping[str, Any], last: str | None) -> Entry:
    return {**head, "first_position": 1 if head["position"] else 0, "gaps": 0, "last_fact_read": last}


def generator() -> str:
    """The SHA-256 of this file: a report names the code that made it."""
    return sha256(pkgutil.get_data(__package__ or "reports", "inventory.py") or b"").hexdigest()


def table(report: bytes) -> bytes:
    """The report's models as CSV (RFC 4180), one a row; made of the JSON, which has authority."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for model in json.loads(report)["models"]:
        production = model["production"] or {}
        rows.writerow(
            [
                *(
                    model["model_id"],
                    model["name"],
                    model["owner"],
                    model["use_case_id"] or "",
                    model["tier"] or "",
                ),
                *(len(model["versions"]), production.get("version_id", ""), production.get("since", "")),
                *("; ".join(production.get("approvers", ())), "; ".join(model["gaps"])),
            ]
        )
    return out.getvalue().encode()


_COLUMNS = [
    "model_id",
    "name",
    "owner",
    "use_case_id",
    "tier",
    "versions",
    "in_production",
    "since",
    "approvers",
    "gaps",
]


def _use_case(state: State, fact: Entry, record: Record) -> None:
    state["use_cases"][fact["use_case_id"]] = {
        **_pick(fact, "use_case_id name goal owner decision_domain customer_reach materiality tier"),
        "state": "proposed",
        "decided_by": None,
        **_where(record),
    }


def _use_case_decided(verdict: str) -> Callable[[State, Entry, Record], None]:
    def step(state: State, fact: Entry, record: Record) -> None:
        case = state["use_cases"].setdefault(fact["use_case_id"], {"use_case_id": fact["use_case_id"]})
        case.update(state=verdict, decided_by=fact["approver"], decided_at=record["recorded_at"])

    return step


def _model_registered(state: State, fact: Entry, record: Record) -> None:
    _known(state, fact["model_id"]).update(
        name=fact["name"], owner=fact["owner"], description=fact["description"], **_where(record)
    )


def _use_case_assigned(state: State, fact: Entry, _record: Record) -> None:
    _known(state, fact["model_id"])["use_case_id"] = fact["use_case_id"]


def _version(state: State, fact: Entry, record: Record) -> None:
    manifest = fact["manifest"]
    model = _known(state, fact["model_id"])
    model["name"] = model["name"] or fact["model_name"]
    model["versions"].append(fact["version_id"])
    state["versions"][fact["version_id"]] = {
        **_pick(fact, "version_id number digest author"),
        "flavour": manifest.get("flavour"),
        "owner": manifest.get("owner"),
        "support_owner": manifest.get("support_owner"),
        "training_data": manifest.get("training_data"),
        "environment_digest": (manifest.get("environment") or {}).get("digest"),
        "code": manifest.get("code"),
        "monitors": manifest.get("monitors"),
        "documents": manifest.get("documents"),
        "evidence": {},
        "promotions": [],
        **_where(record),
    }


def _evidence(state: State, fact: Entry, record: Record) -> None:
    version = state["versions"].get(fact["version_id"])
    if version is not None:
        version["evidence"][fact["kind"]] = {**_pick(fact, "outcome summary by digest"), **_where(record)}


def _requested(state: State, fact: Entry, record: Record) -> None:
    state["promotions"][fact["promotion_id"]] = {
        **_pick(fact, "promotion_id version_id stage tier requester approvals_needed policy_revision"),
        "state": "requested",
        "approvals": [],
        "rejected_by": None,
        **_where(record),
    }
    version = state["versions"].get(fact["version_id"])
    if version is not None:
        version["promotions"].append(fact["promotion_id"])


def _approved(state: State, fact: Entry, record: Record) -> None:
    approval = {**_pick(fact, "person key_id signature"), **_where(record)}
    state["promotions"].setdefault(fact["promotion_id"], {"approvals": []})["approvals"].append(approval)


def _rejected(state: State, fact: Entry, record: Record) -> None:
    state["promotions"].setdefault(fact["promotion_id"], {"approvals": []}).update(
        state="rejected", rejected_by=fact["person"], ended_at=record["recorded_at"]
    )


def _completed(state: State, fact: Entry, record: Record) -> None:
    state["promotions"].setdefault(fact["promotion_id"], {"approvals": []}).update(
        state="completed", ended_at=record["recorded_at"]
    )


def _entered(state: State, fact: Entry, record: Record) -> None:
    _serve(state, fact["model_id"], record, "entered", fact["version_id"], promotion_id=fact["promotion_id"])


def _rolled_back(state: State, fact: Entry, record: Record) -> None:
    about = {"reason": fact["reason"], "by": fact["by"], "from_version_id": fact["from_version_id"]}
    _serve(state, fact["model_id"], record, "rolled_back", fact["to_version_id"], **about)


def _serve(state: State, model_id: str, record: Record, how: str, version_id: str, **about: Any) -> None:
    model = _known(state, model_id)
    change = {"change": how, "version_id": version_id, **about, **_where(record)}
    model["history"].append(change)
    model["production"] = version_id


def _deployed(state: State, fact: Entry, record: Record) -> None:
    _known(state, fact["model_id"])["deployments"].append(fact["deployment_id"])
    state["deployments"][fact["deployment_id"]] = {
        **_pick(fact, "deployment_id application api_version version_id follows by"),
        "consumers": sorted(fact["consumers"]),
        "state": "live",
        **_where(record),
    }


def _deployment_changed(state: State, fact: Entry, record: Record) -> None:
    state["deployments"][fact["deployment_id"]].update(version_id=fact["version_id"], **_where(record))


def _consumer_granted(state: State, fact: Entry, _record: Record) -> None:
    deployment = state["deployments"][fact["deployment_id"]]
    deployment["consumers"] = sorted({*deployment["consumers"], fact["consumer"]})


def _consumer_revoked(state: State, fact: Entry, _record: Record) -> None:
    deployment = state["deployments"][fact["deployment_id"]]
    deployment["consumers"] = [one for one in deployment["consumers"] if one != fact["consumer"]]


def _retired(state: State, fact: Entry, record: Record) -> None:
    state["deployments"][fact["deployment_id"]].update(state="retired", **_where(record))


def _known(state: State, model_id: str) -> Entry:
    return state["models"].setdefault(
        model_id,
        {
            "model_id": model_id,
            "name": "",
            "owner": "",
            "description": "",
            "use_case_id": None,
            "versions": [],
            "history": [],
            "production": None,
            "deployments": [],
        },
    )


def _model(state: State, model: Entry) -> Entry:
    """A model as the reader sees it, with what is missing."""
    use_case = state["use_cases"].get(model["use_case_id"] or "")
    versions = [_version_told(state, state["versions"][one]) for one in model["versions"]]
    serving = next((one for one in versions if one["version_id"] == model["production"]), None)
    production = None
    if model["production"]:
        entered = next(one for one in reversed(model["history"]) if one["version_id"] == model["production"])
        promoted = [one for one in (serving or {}).get("promotions", ()) if one.get("state") == "completed"]
        production = {
            "version_id": model["production"],
            "since": entered["recorded_at"],
            "position": entered["position"],
            "approvers": sorted({one["person"] for promotion in promoted for one in promotion["approvals"]}),
        }
    told = {
        **model,
        "use_case": use_case,
        "tier": (use_case or {}).get("tier"),
        "versions": versions,
        "production": production,
        "deployments": [state["deployments"][one] for one in sorted(set(model["deployments"]))],
    }
    return {**told, "gaps": _gaps(told, serving)}


def _version_told(state: State, version: Entry) -> Entry:
    return {**version, "promotions": [state["promotions"][one] for one in version["promotions"]]}


def _gaps(model: Entry, serving: Entry | None) -> list[str]:
    """What a complete file of the model would have and this one has not."""
    case, live = model["use_case"] or {}, model["production"]
    wanted = [
        ("no owner", not model["owner"]),
        ("no use case", not model["use_case_id"]),
        ("use case not approved", bool(model["use_case_id"]) and case.get("state") != "approved"),
        ("no version", not model["versions"]),
        ("in production without a known version", bool(live) and serving is None),
    ]
    if live and serving is not None:
        kinds = serving["evidence"]
        wanted += [
            ("production version has no approval", not live["approvers"]),
            ("production version has no evidence", not kinds),
            ("production version has no training data", not serving["training_data"]),
            ("production version has no environment", not serving["environment_digest"]),
            ("production version has no monitors", not serving["monitors"]),
            ("production version has no support owner", not serving["support_owner"]),
            ("production version has no documents", not serving["documents"]),
            *((f"evidence {kind} failed", one["outcome"] != "passed") for kind, one in sorted(kinds.items())),
        ]
    return [text for text, missing in wanted if missing]


def _pick(fact: Entry, names: str) -> Entry:
    return {name: fact[name] for name in names.split()}


def _where(record: Record) -> Entry:
    return {"position": f"{record['ledger']}/{record['position']}", "recorded_at": record["recorded_at"]}


_STEPS: dict[str, Callable[[State, Entry, Record], None]] = {
    "registry.use_case.proposed": _use_case,
    "registry.use_case.approved": _use_case_decided("approved"),
    "registry.use_case.rejected": _use_case_decided("rejected"),
    "registry.model.registered": _model_registered,
    "registry.model.use_case_assigned": _use_case_assigned,
    "registry.version.registered": _version,
    "registry.evidence.added": _evidence,
    "registry.promotion.requested": _requested,
    "registry.promotion.approved": _approved,
    "registry.promotion.rejected": _rejected,
    "registry.promotion.completed": _completed,
    "registry.production.entered": _entered,
    "registry.production.rolled_back": _rolled_back,
    "inference.deployment.deployed": _deployed,
    "inference.deployment.replaced": _deployment_changed,
    "inference.deployment.consumer_granted": _consumer_granted,
    "inference.deployment.consumer_revoked": _consumer_revoked,
    "inference.deployment.retired": _retired,
}
TYPES = frozenset(_STEPS)
