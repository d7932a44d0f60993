"""The chronicle as an auditor uses it: a decision's history, the past, claims, completeness, a sealed drill."""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
from e2e.journey import data, governing, proving, scoring
from e2e.journey.people import CONSUMER

from letopis.audit.claim import document
from letopis.audit.claim.commitment import commitment, spelled
from letopis.audit.log.merkle import check_inclusion
from letopis.audit.log.note import Verifier, open_note
from letopis.common.envelope import record_from_json
from letopis.common.leaf import leaf_hash
from letopis.common.ledgers import OWNERS

PURPOSE = "supervision"


@pytest.fixture(scope="module")
def played(world, story):
    return world


@pytest.fixture(scope="module")
def ledgers(played):
    """Every fact of every ledger, as a stranger with the pack of all of them has it."""
    found = {}
    for ledger, service in OWNERS.items():
        facts, after = [], 0
        while True:
            path = f"/v1/ledgers/{ledger}/facts?after={after}&limit=5000"
            lines = played["irina"].send("GET", service, path).text.splitlines()
            if not lines:
                break
            facts += [json.loads(line) for line in lines]
            after = int(facts[-1]["position"])
        found[ledger] = facts
    return found


@pytest.fixture(scope="module")
def history(played, story):
    """The history of the one refused decision, once it is under a signature."""

    def sealed():
        told = played["irina"].get("audit", f"/v1/decisions/{story.refused_decision}/history", purpose=PURPOSE)
        return told if told["decision"]["place"] in {one["place"] for one in told["proofs"]} else None

    return played.until("the decision to be sealed", sealed)


class TestDecision:
    def test_what_was_known_that_second_who_approved_and_what_came_since(self, story, history):
        """What did we know, who approved, with proofs; and later facts apart from it."""
        assert history["version"]["fact"]["version_id"] == story.versions[0]
        assert history["model"]["production"]["version_id"] == story.versions[0]
        assert history["approved"]
        assert {one["fact"].get("person") for one in history["approvals"]} >= {"boris"}
        assert history["allowed_by"]["question"]["result"]["allow"]
        assert list(history["consumer"]["roles"]) == ["consumer"]
        assert len(history["evidence"]) == 6
        assert story.versions[1] not in json.dumps(history["model"])
        assert {"registry.production.entered", "registry.production.rolled_back"} <= {
            one["type"] for one in history["since"]
        }

    def test_every_cited_fact_is_proved_to_be_in_the_log(self, history, ledgers):
        for proof in history["proofs"]:
            ledger, _, position = proof["place"].partition("/")
            record = record_from_json(ledgers[ledger][int(position) - 1])
            path = [bytes.fromhex(one) for one in proof["hashes"]]
            check_inclusion(int(position) - 1, proof["size"], leaf_hash(record), path, bytes.fromhex(proof["root"]))

    def test_the_pinned_version_gives_the_same_bits_again(self, played, story):
        """`letopis replay`: the pinned artefact on the recorded input, equal bytes."""
        path = f"/v1/decisions/{story.refused_decision}/replays"
        told = played["irina"].post("inference", path, purpose=PURPOSE)
        assert told["equal"]
        assert told["recorded_bits"] == told["rescored_bits"]
        refused = played["oleg"].refused("POST", "inference", path, purpose=PURPOSE)
        assert refused.status == 403

    def test_no_input_is_shown_by_the_chronicle(self, history):
        assert history["decision"]["fact"]["inputs"] == "sealed"
        assert "sealed.v1." not in json.dumps(history)


class TestPast:
    def test_which_version_was_in_production_on(self, played, story, ledgers):
        entered = [one for one in ledgers["registry"] if one["type"].startswith("registry.production.")]
        answers = []
        for one in entered:
            moment = datetime.fromisoformat(one["recorded_at"]) + timedelta(microseconds=1)
            asked = {"at": moment.isoformat(), "model_id": json.loads(one["data"])["model_id"]}
            told = played["rita"].get("audit", "/v1/as-of/models", params=asked, purpose=PURPOSE)
            answers.append(told["models"][0]["production"]["version_id"])
        assert answers[:3] == [story.versions[0], story.versions[1], story.versions[0]]

    def test_who_saw_this_column_and_why(self, played, ledgers):
        reads = [json.loads(one["data"]) for one in ledgers["access"] if one["type"] == "access.read.started"]
        source, columns = next((s, c) for read in reads for s, c in read["planned"].items() if c)
        column = columns[0]
        expected = {
            read["read_id"]
            for read in reads
            if column in {*read["planned"].get(source, ()), *read["parsed"].get(source, ())}
        }
        span = {"since": "2020-01-01T00:00:00Z", "until": datetime.now(UTC).isoformat()}
        asked = {"column": column, "source": source, **span}
        told = played["irina"].get("audit", "/v1/as-of/reads", params=asked, purpose=PURPOSE)["reads"]
        assert {one["fact"]["read_id"] for one in told} == expected
        assert all(one["fact"]["purpose"] and one["fact"]["person"] for one in told)
        granted = [grant for one in told for grant in one["grants"]]
        assert all(grant["fact"]["reason"] and grant["fact"]["issued_by"] for grant in granted)

    def test_who_could_do_what_on(self, played):
        now = datetime.now(UTC).isoformat()
        told = played["irina"].get("audit", "/v1/as-of/rights", params={"at": now, "login": "boris"}, purpose=PURPOSE)
        assert "model_owner" in told["logins"][0]["roles"]


def evaluated(ledgers):
    """The document that whoever holds all facts makes of them."""
    heads = {name: {"position": len(one), "root": ""} for name, one in ledgers.items()}
    return json.loads(document.build(ledgers, heads))


class TestExport:
    def test_an_auditor_takes_six_months_of_decisions_with_nothing_readable_of_clients(self, played, story):
        """C09: the whole inference log, redacted, exported in minutes by an auditor who reaches no production part."""
        span = {"since": "2020-01-01T00:00:00Z", "until": datetime.now(UTC).isoformat()}
        began = time.monotonic()
        text = played["irina"].send("GET", "audit", "/v1/exports/decisions", params=span, purpose=PURPOSE).text
        assert time.monotonic() - began < 600
        lines = [json.loads(one) for one in text.splitlines()]
        assert len(lines) >= story.decisions
        assert {one["inputs"] for one in lines} == {"sealed"}
        assert "sealed.v1." not in text
        assert len({(one["as_of"] or one["decided_at"])[:7] for one in lines}) >= 5
        assert (
            played["oleg"].refused("GET", "audit", "/v1/exports/decisions", params=span, purpose=PURPOSE).status == 403
        )


class TestClaims:
    def test_every_shipped_claim_holds_over_the_whole_journey(self, ledgers):
        """A stranger with every fact finds what never happened, and how many facts each claim was held against."""
        told = evaluated(ledgers)
        found = {one["id"]: one for one in told["claims"]}
        assert {id: one["first"] for id, one in found.items() if one["verdict"] != "held"} == {}
        assert len(found) >= 10
        assert found["score_under_approval"]["checked"] > 1000
        assert found["score_under_lease"]["checked"] >= 25
        assert found["read_with_purpose"]["checked"] == 0

    def test_a_fact_that_never_was_is_missed(self, ledgers):
        """Without the completed promotions every score violates the first claim."""
        left = [one for one in ledgers["registry"] if one["type"] != "registry.promotion.completed"]
        poorer = ledgers | {"registry": left}
        told = {one["id"]: one for one in evaluated(poorer)["claims"]}
        # What is younger than a minute is still open.
        for id, least in (("score_under_approval", 1000), ("production_after_promotion", 2)):
            assert told[id]["violations"] + told[id]["open"] >= least

    def test_the_chronicle_evaluates_them_by_itself(self, played):
        def recorded():
            return played["rita"].get("audit", "/v1/claims/evaluations", purpose=PURPOSE)

        latest = played.until("an evaluation", recorded)[0]
        served = played["rita"].send("GET", "audit", f"/v1/claims/evaluations/{latest['sha256']}", purpose=PURPOSE)
        assert served.json()["summary"]["violated"] == 0
        assert {one["claim_id"] for one in latest["claims"]} == {one["id"] for one in document.shipped()}


class TestCompleteness:
    def test_a_signed_heartbeat_says_that_nothing_is_missing(self, played):
        audit = played.urls["audit"]
        played.until("a heartbeat", lambda: played.http.get(f"{audit}/heartbeat").status_code == 200)
        key = Verifier.parse(played.http.get(f"{audit}/heartbeat/key").text.strip())
        text = open_note(played.http.get(f"{audit}/heartbeat").text, [key])
        lines = text.splitlines()
        assert lines[0] == "letopis-heartbeat-v1"
        assert {line.split()[0] for line in lines[4:] if not line.startswith("missing")} == set(OWNERS)


def denied(ledger, action, person):
    where = [["action", "is", action], ["person", "is", person]]
    return {"fact": f"{ledger}.authorization.denied", "where": where}


class TestDrill:
    """An auditor's plan: seven injections by people who do not know of it, each caught by a control and timed."""

    PLAN = {
        "own_approval": ("Anna signs her own model", denied("registry", "registry.promotion.approve", "anna")),
        "own_role": ("Anna makes herself an auditor", denied("registry", "registry.principal.grant_role", "anna")),
        "canary_read": ("Oleg reads names in clear", denied("access", "features.query.run", "oleg")),
        "stolen_client": ("Anna scores without a grant", denied("decisions", "inference.scoring.score", "anna")),
        "format_switch": (
            "A caller sends words where numbers were",
            {"fact": "decisions.decision.refused", "where": [["code", "is", "scoring.bad_rows"]]},
        ),
        "own_deployment": ("Anna deploys her model", denied("inference", "inference.deployment.deploy", "anna")),
        "curious_engineer": ("Oleg looks into the chronicle", denied("audit", "audit.history.decision", "oleg")),
    }

    def test_seven_injections_are_caught_and_timed_and_an_altered_plan_fails(self, played, story, ledgers):
        injections = [
            {"id": id, "what": what, "expects": expects, "within_seconds": 120}
            for id, (what, expects) in self.PLAN.items()
        ]
        plan, salt = spelled({"title": "A quiet Tuesday", "injections": injections}), secrets.token_hex(16)
        irina = played["irina"]
        drill = irina.post("audit", "/v1/drills", {"commitment": commitment(plan, salt)}, purpose=PURPOSE)["id"]
        injected = {}
        for id in self.PLAN:
            injected[id] = datetime.now(UTC).isoformat()
            assert self.injected(played, story, ledgers, id).status in {403, 422}
        body = {"plan": plan, "salt": salt, "injected": injected}
        altered = body | {"plan": plan.replace("Tuesday", "Monday")}
        path = f"/v1/drills/{drill}/reveals"
        refused = irina.refused("POST", "audit", path, json=altered, purpose=PURPOSE)
        assert refused.document["code"] == "drill.plan_altered"
        self.copied(played)
        catches = irina.post("audit", path, body, purpose=PURPOSE)["facts"][0]["data"]["catches"]
        assert {one["injection"]: one["caught"] for one in catches} == dict.fromkeys(self.PLAN, True)
        assert all(0 <= one["seconds"] < 120 for one in catches)

    def injected(self, world, story, ledgers, id):
        match id:
            case "own_approval":
                asked = next(one for one in ledgers["registry"] if one["type"] == "registry.promotion.requested")
                return governing.self_approval(world, json.loads(asked["data"]))
            case "own_role":
                return world["anna"].refused("POST", "registry", "/v1/principals/anna/roles", json={"role": "auditor"})
            case "canary_read":
                return data.snooping(world)[0]
            case "stolen_client":
                path = f"/v1/score/{scoring.APPLICATION}/v1"
                return world["anna"].refused("POST", "inference", path, json={"account_id": "1"}, purpose=data.PURPOSE)
            case "format_switch":
                path, row = f"/v1/score/{scoring.APPLICATION}/v1", {"account_id": "1", data.FEATURES[0]: "many"}
                return world[CONSUMER].refused("POST", "inference", path, json=row, purpose=data.PURPOSE)
            case "own_deployment":
                wanted = {"application": "mine", "api_version": "v1", "version_id": story.versions[0], "consumers": []}
                return world["anna"].refused("POST", "inference", "/v1/deployments", json=wanted)
            case _:
                path = f"/v1/decisions/{story.refused_decision}/history"
                return world["oleg"].refused("GET", "audit", path, purpose=PURPOSE)

    def copied(self, world):
        """The chronicle has copied what every owner had a moment ago."""
        heads = {}
        for ledger, service in OWNERS.items():
            heads[ledger] = self.head(world, service, ledger)

        def caught_up():
            logs = {one["ledger"]: one["copied"] for one in world["irina"].get("audit", "/v1/logs")}
            return all(logs[ledger] >= head for ledger, head in heads.items())

        world.until("the copies", caught_up)

    @staticmethod
    def head(world, service, ledger):
        after, path = 0, f"/v1/ledgers/{ledger}/facts?limit=5000&after="
        while lines := world["irina"].send("GET", service, f"{path}{after}").text.splitlines():
            after = int(json.loads(lines[-1])["position"])
        return after


def test_the_command_line_makes_the_evaluation_again(played, monkeypatch, tmp_path):
    """A stranger with a login of an auditor: every fact read at its owner, the recorded document made anew."""
    monkeypatch.setenv("LETOPIS_CONFIG_DIR", str(tmp_path))
    assert proving.letopis(played, "login", "--as", "irina").good
    told = proving.letopis(played, "claims")
    assert told.good, told.text
    assert "VERIFIED" in told.text


def test_the_command_line_scores_a_decision_again(played, story, monkeypatch, tmp_path):
    """The command an auditor types; the login is kept in a folder of its own."""
    monkeypatch.setenv("LETOPIS_CONFIG_DIR", str(tmp_path))
    assert proving.letopis(played, "login", "--as", "irina").good
    told = proving.letopis(played, "replay", story.refused_decision)
    assert told.good, told.text
    assert "EQUAL" in told.text
