"""The time machine: what was known the second a decision was made, and models, rights and reads as of a moment."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from letopis.audit.log.merkle import check_inclusion
from letopis.common.envelope import time_text
from letopis.common.leaf import leaf_hash

DIGEST = "d" * 64


@pytest.fixture
def at(kit):
    """The moment of a second of these tests' histories."""
    return lambda second: kit.START + timedelta(seconds=second)


def registry(kit):
    """A model promoted at 6, another version promoted at 20, rolled back at 30; people come and go."""
    about = {"model_id": "credit", "version_id": "credit.1", "version_digest": DIGEST, "promotion_id": "p1"}
    promotion = about | {"stage": "production", "tier": 1, "person": "boris", "key_id": "k", "signature": "s"}
    person = {"login": "shop", "person": "", "kind": "service", "organisation": "bank", "until": None, "name": "x"}
    manifest = {"flavour": "xgboost", "training_data": ["april"]}
    version = {"model_id": "credit", "number": 1, "digest": DIGEST, "manifest": manifest, "author": "anna"}
    facts = {
        1: ("model.registered", {"model_id": "credit", "name": "Credit", "owner": "anna", "description": ""}),
        2: ("principal.registered", person),
        3: ("principal.role_granted", {"login": "shop", "role": "consumer"}),
        4: ("version.registered", version | {"version_id": "credit.1"}),
        5: ("evidence.added", about | {"kind": "quality", "outcome": "passed", "summary": "", "by": "v", "digest": ""}),
        6: ("promotion.approved", promotion),
        7: ("promotion.completed", promotion | {"approvers": ["boris"], "at": time_text(kit.START)}),
        8: ("production.entered", about | {"replaces": None}),
        20: ("version.registered", version | {"version_id": "credit.2", "number": 2}),
        21: ("production.entered", about | {"version_id": "credit.2", "promotion_id": "p2", "replaces": "credit.1"}),
        25: ("principal.role_revoked", {"login": "shop", "role": "consumer"}),
        30: (
            "production.rolled_back",
            {
                "model_id": "credit",
                "from_version_id": "credit.2",
                "to_version_id": "credit.1",
                "to_version_digest": DIGEST,
                "reason": "worse",
                "by": "olga",
            },
        ),
    }
    return [
        kit.record("registry", position, f"registry.{type}", data, recorded_at=kit.START + timedelta(seconds=second))
        for position, (second, (type, data)) in enumerate(facts.items(), 1)
    ]


def decision(kit, second=12, lease=""):
    fact = {
        "application": "credit", "api_version": "v1", "model_id": "credit", "version_id": "credit.1",
        "version_digest": DIGEST, "consumer": "shop", "entity": "account_id", "entity_id": "17",
        "inputs": "sealed.v1.00.aa", "looked_up": [], "score": 0.25, "cutoff": 0.5, "decision": "accept",
        "reasons": None, "decided_at": time_text(kit.START + timedelta(seconds=second)), "as_of": None,
        "kind": "single", "job_id": "", "row": None,
    }  # fmt: skip
    meta = json.dumps({"actor": {"login": "shop"}, "authorization": {"lease": lease}}).encode()
    return kit.record(
        "decisions",
        2,
        "decisions.decision.made",
        fact,
        meta=meta,
        recorded_at=kit.START + timedelta(seconds=second + 1),
    )


@pytest.fixture
async def past(chronicle, kit):
    """A chronicle of a small past; the decision's id."""
    answer = {"action": "score", "revision": "r7", "input": {"roles": ["consumer"]}, "result": {"allow": True}}
    lease = kit.record(
        "decisions",
        1,
        "decisions.lease.granted",
        {"consumer": "shop"},
        meta=json.dumps({"authorization": answer}).encode(),
    )
    made = decision(kit, lease=str(lease.event_id))
    revealed = kit.record(
        "inference", 1, "inference.decision.revealed", {"decision_id": str(made.event_id), "by": "irina"},
        recorded_at=kit.START + timedelta(seconds=40),
    )  # fmt: skip
    await chronicle.seal("registry", registry(kit))
    await chronicle.seal("decisions", [lease, made])
    await chronicle.seal("inference", [revealed])
    return chronicle, made


class TestDecision:
    async def test_tells_what_was_known_that_second_and_what_came_since(self, past):
        """D: one decision id returns version, approvals, policy and places of that second, and later facts apart."""
        chronicle, made = past
        answer = await chronicle.get(f"/v1/decisions/{made.event_id}/history")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["version"]["fact"]["version_id"] == "credit.1"
        assert told["model"]["production"]["version_id"] == "credit.1"
        assert told["model"]["versions"] == ["credit.1"]
        assert told["approved"]
        assert [one["fact"].get("person") for one in told["approvals"]] == ["boris", "boris"]
        assert told["allowed_by"]["question"]["revision"] == "r7"
        assert list(told["consumer"]["roles"]) == ["consumer"]
        assert told["as_of"]["positions"]["registry"] == 8
        assert [one["type"].rpartition(".")[2] for one in told["since"]] == ["entered", "rolled_back", "revealed"]
        assert told["decision"]["fact"]["inputs"] == "sealed"
        assert "sealed.v1" not in answer.text

    async def test_every_cited_fact_has_its_proof(self, past):
        chronicle, made = past
        told = (await chronicle.get(f"/v1/decisions/{made.event_id}/history")).json()
        (proof,) = [one for one in told["proofs"] if one["place"] == "decisions/2"]
        path = [bytes.fromhex(one) for one in proof["hashes"]]
        check_inclusion(1, proof["size"], leaf_hash(made), path, bytes.fromhex(proof["root"]))
        cited = {one["place"] for one in (told["version"], *told["approvals"], *told["evidence"], *told["since"])}
        assert cited <= {one["place"] for one in told["proofs"]}

    async def test_the_look_is_recorded_and_needs_a_right(self, past):
        chronicle, made = past
        path = f"/v1/decisions/{made.event_id}/history"
        assert (await chronicle.get(path, by="anna")).status_code == 403
        assert (await chronicle.get(path, by="rita")).status_code == 200
        last = (await chronicle.facts())[-1]
        assert (last.type, json.loads(last.data)["about"]) == ("audit.history.shown", str(made.event_id))

    async def test_of_no_decision_is_not_found(self, past):
        chronicle, _ = past
        for id in ("nothing", "01990000-0000-7000-8000-000000000000"):
            assert (await chronicle.get(f"/v1/decisions/{id}/history")).status_code == 404


class TestExport:
    async def test_the_decision_log_leaves_line_by_line_with_inputs_sealed(self, past, at):
        chronicle, made = past
        span = {"since": time_text(at(0)), "until": time_text(at(100))}
        answer = await chronicle.get("/v1/exports/decisions", **span)
        (line,) = [json.loads(one) for one in answer.text.splitlines()]
        assert (line["decision_id"], line["place"], line["inputs"]) == (str(made.event_id), "decisions/2", "sealed")
        assert (await chronicle.get("/v1/exports/decisions", **span, application="other")).text == ""
        assert (await chronicle.get("/v1/exports/decisions", **span, by="vera")).status_code == 403
        assert json.loads((await chronicle.facts())[-2].data)["question"] == "decisions"


class TestAsOf:
    @pytest.mark.parametrize(
        ("second", "version"), [(3, None), (7.5, None), (12, "credit.1"), (22, "credit.2"), (31, "credit.1")]
    )
    async def test_which_version_was_in_production_on(self, past, at, second, version):
        chronicle, _ = past
        told = (await chronicle.get("/v1/as-of/models", at=time_text(at(second)), model_id="credit")).json()
        production = told["models"][0]["production"]
        assert (production["version_id"] if production else None) == version

    async def test_who_could_do_what_on(self, past, at):
        chronicle, _ = past
        for second, roles in ((12, ["consumer"]), (26, [])):
            told = (await chronicle.get("/v1/as-of/rights", at=time_text(at(second)), login="shop")).json()
            assert list(told["logins"][0]["roles"]) == roles
        before = (await chronicle.get("/v1/as-of/rights", at=time_text(at(1)))).json()
        assert before["logins"] == []

    async def test_who_saw_this_column_and_why(self, chronicle, kit, at):
        grant = {
            "grant_id": "g1", "grantee": "anna", "purpose": "model", "project": "p", "columns": {}, "unmask": False,
            "not_after": time_text(at(1000)), "reason": "to train the April model", "issued_by": "pavel",
        }  # fmt: skip
        read = {
            "read_id": "r1", "kind": "query", "object_id": "", "person": "anna", "purpose": "model", "grants": ["g1"],
            "parsed": {"clients": ["age"]}, "planned": {"clients": ["age", "income"]},
            "masks": {"clients": {"income": "bucket"}}, "tokens": "", "sql_hashes": [], "snapshots": {},
        }  # fmt: skip
        other = read | {"read_id": "r2", "planned": {"shops": ["income"]}, "parsed": {}}
        done = {"read_id": "r1", "rows": 30, "bytes": 90, "result_sha256": "a"}
        facts = [("started", read), ("completed", done), ("started", other), ("started", read | {"read_id": "late"})]
        records = [
            kit.record("access", position, f"access.read.{type}", data, recorded_at=at(100 * position))
            for position, (type, data) in enumerate(facts, 1)
        ]
        await chronicle.seal("features", [kit.record("features", 1, "features.grant.issued", grant)])
        await chronicle.seal("access", records)
        span = {"since": time_text(at(50)), "until": time_text(at(350))}
        told = (await chronicle.get("/v1/as-of/reads", by="pavel", column="income", source="clients", **span)).json()
        (seen,) = told["reads"]
        assert (seen["fact"]["person"], seen["columns"][0]["shown"]) == ("anna", "bucket")
        assert seen["grants"][0]["fact"]["reason"] == "to train the April model"
        assert seen["ended"]["fact"]["rows"] == 30
        anywhere = (await chronicle.get("/v1/as-of/reads", by="pavel", column="income", **span)).json()
        assert [one["fact"]["read_id"] for one in anywhere["reads"]] == ["r1", "r2"]

    async def test_a_moment_has_a_time_zone(self, chronicle):
        answer = await chronicle.get(
            "/v1/as-of/models", at=datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None).isoformat()
        )
        assert answer.status_code == 422
