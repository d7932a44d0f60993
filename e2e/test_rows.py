"""Rows of the acceptance checklist that the path is wide enough to prove, each on the journey's own data."""

import json
import time
from base64 import b64decode
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from e2e.journey import data, modelling, scoring
from e2e.journey.data import PURPOSE
from e2e.journey.story import SINGLE

from letopis.sdk import models
from letopis.sdk.client import Letopis

PARTS = ("owner", "support_owner", "language", "code", "training_data", "environment", "monitors", "documents")


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


@pytest.fixture(scope="module")
def manifest(played, story):
    """The complete manifest of the model in production."""
    return played["anna"].get("registry", f"/v1/versions/{story.versions[0]}")["manifest"]


def version_of(world, manifest, model_id=modelling.MODEL):
    """A draft made of a manifest; its id."""
    return world["anna"].post("registry", "/v1/versions", {"model_id": model_id, "manifest": manifest})["id"]


def asked_for(world, version_id):
    """The refusal of a request for production."""
    return world["anna"].refused("POST", "registry", "/v1/promotions", json={"version_id": version_id, "comment": "x"})


def facts_of(world, service, ledger, after=0):
    """The records of a ledger by its owner's door, as the auditor reads them."""
    found = []
    while True:
        text = world["irina"].send("GET", service, f"/v1/ledgers/{ledger}/facts?after={after}&limit=5000").text
        lines = [json.loads(line) for line in text.splitlines()]
        if not lines:
            return found
        found += lines
        after = int(lines[-1]["position"])


class TestGate:
    def test_drafts_are_free_and_go_nowhere_without_a_use_case(self, played, manifest):
        """A01: a version without an approved use case cannot leave development (409); drafts are free."""
        draft = version_of(played, manifest, f"draft-{uuid4().hex[:8]}")
        preview = played["anna"].get("registry", f"/v1/versions/{draft}/preview")
        assert "approved use case" in preview["missing"]
        refused = asked_for(played, draft)
        assert refused.status == 409, refused
        assert refused.document["code"] == "promotion.use_case_missing"

    @pytest.mark.parametrize("part", PARTS)
    def test_every_part_that_is_taken_out_is_named(self, played, manifest, part):
        """A10, B04, A06: without any one part of the bundle, its accountable owners among them, the gate names it."""
        draft = version_of(played, {name: value for name, value in manifest.items() if name != part})
        refused = asked_for(played, draft)
        assert refused.status == 409, refused
        assert refused.document["missing"] == [part]

    def test_the_gate_answers_in_seconds_with_all_that_is_missing_and_why(self, played, manifest):
        """C02: requirements are machine checks, each with a one-line reason."""
        poor = {name: value for name, value in manifest.items() if name not in {"documents", "support_owner"}}
        draft = version_of(played, poor)
        began = time.monotonic()
        preview = played["anna"].get("registry", f"/v1/versions/{draft}/preview")
        assert time.monotonic() - began < 5
        assert not preview["ready"]
        assert {"part documents", "part support_owner", "evidence validation_report"} <= set(preview["missing"])
        assert all(part["reason"] for part in preview["parts"])

    def test_an_unpinned_requirement_fails(self, played, manifest):
        """C05: exact pins; the rollback of the whole bundle is the journey's."""
        loose = manifest["environment"] | {"requirements": ["numpy>=2", *manifest["environment"]["requirements"]]}
        draft = version_of(played, manifest | {"environment": loose})
        refused = asked_for(played, draft)
        assert refused.status == 409, refused
        assert refused.document["missing"] == ["exact version of numpy>=2"]

    def test_no_version_goes_on_with_no_monitor(self, played, manifest):
        """C06: the gate fails with zero monitors."""
        refused = asked_for(played, version_of(played, manifest | {"monitors": []}))
        assert refused.status == 409, refused
        assert refused.document["missing"] == ["monitors"]

    def test_a_run_built_twice_is_one_signed_version(self, played, tmp_path, monkeypatch):
        """A35: one command makes a signed bundle of a run; built twice it has one digest; a notebook never gets in."""
        monkeypatch.setenv("LETOPIS_DATA_DIR", str(played.data_dir))
        table = data.panel(played.accounts, data.APRIL)
        inputs = dict.fromkeys(data.FEATURES, "double")
        name = f"twice-{uuid4().hex[:8]}"
        with Letopis.demo("anna", config=tmp_path) as client:
            first, second = (
                models.register(modelling.fit("sklearn", table), name=name, inputs=inputs, client=client)
                for _ in range(2)
            )
        assert (first.version_id, first.digest) == (second.version_id, second.digest)
        told = [json.loads(one["data"]) for one in facts_of(played, "registry", "registry")]
        (fact,) = (one for one in told if one.get("version_id") == first.version_id and "signature" in one)
        key = played.http.get(f"{played.urls['registry']}/v1/keys").json()
        public = Ed25519PublicKey.from_public_bytes(b64decode(key["public_key"]))
        public.verify(b64decode(fact["signature"]), f"letopis-version-v1\n{first.digest}".encode())
        notebook = [{"path": "train.ipynb", "sha256": "0" * 64, "bytes": 1}]
        body = {"model_id": name, "manifest": fact["manifest"] | {"artifacts": notebook}}
        refused = played["anna"].refused("POST", "registry", "/v1/versions", json=body)
        assert refused.status == 422, refused
        assert "notebooks" in refused.document["detail"]

    def test_each_step_of_a_promotion_has_actor_time_and_evidence(self, played, story):
        """B17: the states of the version in production, each with who, when, and by what evidence."""
        promotions = played["irina"].get("registry", "/v1/promotions")
        promotion = next(one for one in promotions if one["version_id"] == story.versions[0])
        assert promotion["state"] == "completed"
        assert len(promotion["evidence"]) == 6
        stream = f"promotion:{promotion['promotion_id']}"
        steps = [one for one in facts_of(played, "registry", "registry") if one["stream"] == stream]
        assert [one["type"].rpartition(".")[2] for one in steps] == ["requested", "approved", "completed"]
        actors = [json.loads(one["meta"])["actor"]["person"] for one in steps]
        assert actors[:2] == ["anna", "boris"]
        assert all(one["recorded_at"].endswith("Z") for one in steps)


class TestScoring:
    def test_file_and_single_requests_score_alike(self, played, story):
        """C18: the same version gives the same rows the same scores, to the last bit, by file and over HTTP."""
        september, single = {}, {}
        for one in facts_of(played, "inference", "decisions"):
            if one["type"] != "decisions.decision.made":
                continue
            fact = json.loads(one["data"])
            told = (fact["version_id"], fact["score"], fact["decision"])
            if fact["kind"] == "single" and fact["entity_id"] not in single:
                single[fact["entity_id"]] = told
            elif (fact["as_of"] or "").startswith(data.SEPTEMBER):
                september[fact["entity_id"]] = told
        assert {str(number) for number in range(1, SINGLE + 1)} <= single.keys()
        for number in range(1, SINGLE + 1):
            assert single[str(number)] == september[str(number)]

    def test_two_versions_of_an_interface_live_together_and_take_only_their_consumers(self, played, story):
        """B16, B06: v1 and v2 live together; an ungranted application gets 403 and a fact; a grant alone lets it in."""
        body = {"application": scoring.APPLICATION, "api_version": "v2", "follows": "version", "consumers": []}
        olga, bank = played["olga"], played["bank-app"]
        olga.post("inference", "/v1/deployments", body | {"version_id": story.versions[0]})
        path, row = f"/v1/score/{scoring.APPLICATION}/v2", {"account_id": "3"}
        refused = bank.refused("POST", "inference", path, json=row, purpose=PURPOSE)
        assert refused.status == 403, refused

        def denied():
            return any(
                one["type"] == "decisions.authorization.denied" and refused.document["authorization_id"] in one["data"]
                for one in facts_of(played, "inference", "decisions")
            )

        played.until("the denial in the chronicle", denied, 20)
        assert (
            bank.post("inference", f"/v1/score/{scoring.APPLICATION}/v1", row, purpose=PURPOSE)["api_version"] == "v1"
        )
        deployment = f"{scoring.APPLICATION}.v2"
        olga.post("inference", f"/v1/deployments/{deployment}/consumers", {"consumer": "bank-app"})
        assert bank.post("inference", path, row, purpose=PURPOSE)["api_version"] == "v2"


class TestReading:
    def test_so_many_reads_so_many_events(self, played):
        """A21: N offline reads are N events with person, purpose, columns and rows; a forged token reads nothing."""
        before = len(facts_of(played, "features", "access"))
        for limit in (1, 2, 3):
            sql = f"SELECT account_id, status FROM panel LIMIT {limit}"
            answer = played["anna"].post("features", "/v1/queries", {"sql": sql}, purpose=PURPOSE)
            assert len(answer["rows"]) == limit
        told = facts_of(played, "features", "access", before)
        kinds = Counter(one["type"] for one in told)
        assert kinds["access.read.started"] == kinds["access.read.completed"] == 3
        started = [one for one in told if one["type"] == "access.read.started"]
        for one in started:
            meta = json.loads(one["meta"])
            assert (meta["actor"]["person"], meta["purpose"]) == ("anna", PURPOSE)
            assert "status" in one["data"]
        rows = [json.loads(one["data"])["rows"] for one in told if one["type"] == "access.read.completed"]
        assert sorted(rows) == [1, 2, 3]
        token = played["anna"].token[:-4] + "AAAA"
        headers = {"authorization": f"Bearer {token}", "letopis-purpose": PURPOSE}
        url = f"{played.urls['features']}/v1/queries"
        assert httpx.post(url, json={"sql": "SELECT 1"}, headers=headers, trust_env=False).status_code == 401

    def test_personal_columns_come_masked_and_stable(self, played):
        """A30: names, e-mails and phones are masked by default, stable for joins; clear needs a named grant."""
        sql = (
            "SELECT a.full_name, a.email, a.phone, count(*) OVER () AS n FROM people a JOIN people b "
            "ON a.email = b.email ORDER BY a.account_id LIMIT 5"
        )
        once = played["anna"].post("features", "/v1/queries", {"sql": sql}, purpose=PURPOSE)["rows"]
        again = played["anna"].post("features", "/v1/queries", {"sql": sql}, purpose=PURPOSE)["rows"]
        assert once == again
        people = data.pq.read_table(data.DATA / "synthetic_people.parquet").slice(0, 5).to_pylist()
        for row, person in zip(once, people, strict=True):
            assert not {person["full_name"], person["email"], person["phone"]} & set(map(str, row))
        assert len({row[0] for row in once}) == len({person["full_name"] for person in people})
        asked = {"sql": "SELECT phone FROM people", "unmask": ["people.phone"]}
        refused = played["anna"].refused("POST", "features", "/v1/queries", json=asked, purpose=PURPOSE)
        assert "personal.unmask_not_granted" in refused.rules

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO panel SELECT * FROM panel",
            "UPDATE panel SET status = 0",
            "DELETE FROM panel",
            "DROP TABLE panel",
            "CREATE TABLE copy AS SELECT * FROM panel",
            "COPY panel TO 'panel.csv'",
            "SELECT 1; DELETE FROM panel",
        ],
    )
    def test_nothing_is_written_through_the_gateway(self, played, sql):
        before = len(facts_of(played, "features", "access"))
        refused = played["anna"].refused("POST", "features", "/v1/queries", json={"sql": sql}, purpose=PURPOSE)
        assert refused.status == 403, refused
        assert refused.rules == ["sql.read_only"]
        told = facts_of(played, "features", "access", before)
        assert [one["type"] for one in told] == ["access.read.refused"]
        assert json.loads(told[0]["meta"])["actor"]["person"] == "anna"

    def test_production_is_never_read_directly(self, played):
        """A16: a source of the zone production is denied with its reason, and the denial is recorded."""
        source = f"production_{uuid4().hex[:8]}"
        body = {"source_id": source, "name": source, "zone": "production", "description": "the bank's own system"}
        played["oleg"].post("features", "/v1/sources", body)
        question = {"sql": f"SELECT * FROM {source}"}
        refused = played["anna"].refused("POST", "features", "/v1/queries", json=question, purpose=PURPOSE)
        assert refused.status == 403, refused
        assert refused.rules == ["source.production_zone"]
        denied = [one for one in facts_of(played, "features", "access") if one["type"] == "access.authorization.denied"]
        assert any(refused.document["authorization_id"] in one["data"] for one in denied)

    def test_a_source_without_an_extract_record_is_not_usable_in_training(self, played):
        """A17: what nobody recorded as delivered is not read."""
        source = f"bare_{uuid4().hex[:8]}"
        body = {"source_id": source, "name": source, "zone": "etl_copy", "description": "nothing came yet"}
        played["oleg"].post("features", "/v1/sources", body)
        bundle = played["anna"].get("features", "/v1/bundles")[0]["bundle_id"]
        spine = f"SELECT account_id, month AS as_of FROM {source}"
        asked = {"name": "bare", "bundle_id": bundle, "spine_sql": spine}
        refused = played["anna"].refused("POST", "features", "/v1/datasets", json=asked, purpose=PURPOSE)
        assert refused.status == 409, refused
        assert "extract" in json.dumps(refused.document)

    def test_who_leaves_the_group_loses_access(self, played):
        """E12: a grant to a group opens to its members; out of the group, access is gone within a minute."""
        source = source_of(played)
        until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        data.grant(played, "group:guests", {source: ["label"]}, until)
        sql = {"sql": f"SELECT label FROM {source}"}
        oleg, olga = played["oleg"], played["olga"]
        assert "grant.missing" in oleg.refused("POST", "features", "/v1/queries", json=sql, purpose=PURPOSE).rules
        olga.post("registry", "/v1/principals/oleg/groups", {"group": "guests"})
        assert oleg.post("features", "/v1/queries", sql, purpose=PURPOSE)["rows"]
        began = time.monotonic()
        olga.send("DELETE", "registry", "/v1/principals/oleg/groups/guests")
        assert "grant.missing" in oleg.refused("POST", "features", "/v1/queries", json=sql, purpose=PURPOSE).rules
        assert time.monotonic() - began < 60


def source_of(world):
    """A source of one confidential column, delivered and classified; its id."""
    source = f"labels_{uuid4().hex[:8]}"
    table = data.panel(10, data.APRIL).select(["label"])
    (world.data_dir / "sources" / f"{source}.parquet").write_bytes(data.parquet(table))
    body = {"source_id": source, "name": source, "zone": "etl_copy", "description": "for a test"}
    world["oleg"].post("features", "/v1/sources", body)
    extract = {"files": [f"{source}.parquet"], "job": "etl.test", "reason": "for a test"}
    world["oleg"].post("features", f"/v1/sources/{source}/extracts", extract)
    said = {"classes": {"label": {"cls": "confidential"}}, "reason": "read"}
    world["pavel"].post("features", f"/v1/sources/{source}/classification", said)
    return source
