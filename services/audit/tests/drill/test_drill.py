"""Sealed drills: the catch is found and timed, a plan altered afterwards fails, for us and for a stranger."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from letopis.audit.claim import document
from letopis.audit.claim.commitment import commitment, spelled
from letopis.audit.drill.decider import (
    DRILL,
    CommitDrill,
    DrillExists,
    DrillRevealedBefore,
    DrillUnknown,
    PlanAltered,
    RevealDrill,
)
from letopis.audit.drill.events import Catch, DrillCommitted, DrillRevealed
from letopis.audit.drill.plan import NotAPlan, parse_plan
from letopis.common.testing.decider import given

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALT = "ab" * 16


def injection(id, person):
    denied = {"fact": "registry.authorization.denied", "where": [["@meta.actor.person", "is", person]]}
    return {"id": id, "what": f"{person} approves their own model", "expects": denied, "within_seconds": 60}


PLAN = spelled(
    {"title": "Spring drill", "injections": [injection("proxy_approval", "anna"), injection("missed", "zoe")]}
)
CAUGHT = Catch(injection="proxy_approval", injected_at=NOON, caught=True, place="registry/1", event_id="e", seconds=2.0)
MISSED = Catch(injection="missed", injected_at=NOON, caught=False, place="", event_id="", seconds=None)
COMMITTED = DrillCommitted(drill_id="d", commitment=commitment(PLAN, SALT), by="irina")
REVEALED = DrillRevealed(
    drill_id="d", commitment=COMMITTED.commitment, plan=PLAN, salt=SALT, catches=(CAUGHT, MISSED), caught=1, missed=1,
    by="irina",
)  # fmt: skip


def reveal(plan=PLAN, salt=SALT):
    return RevealDrill(
        drill_id="d", plan=plan, salt=salt, catches=(CAUGHT, MISSED), committed_at=NOON - timedelta(1), by="irina"
    )


class TestDecide:
    def test_a_drill_is_committed_to_once_and_revealed_once(self):
        commit = CommitDrill(drill_id="d", commitment=COMMITTED.commitment, by="irina")
        given(DRILL).when(commit).then(COMMITTED)
        given(DRILL, COMMITTED).when(commit).refused(DrillExists)
        given(DRILL, COMMITTED).when(reveal()).then(REVEALED)
        given(DRILL, COMMITTED, REVEALED).when(reveal()).refused(DrillRevealedBefore)
        with pytest.raises(DrillUnknown):
            given(DRILL).when(reveal())

    @pytest.mark.parametrize(
        "command",
        [
            reveal(plan=PLAN.replace('"within_seconds":60', '"within_seconds":600', 1)),
            reveal(plan=PLAN.replace("anna", "boris")),
            reveal(salt="ac" * 16),
        ],
    )
    def test_a_plan_altered_afterwards_is_refused(self, command):
        given(DRILL, COMMITTED).when(command).refused(PlanAltered)


class TestPlan:
    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", PLAN.replace(",", ", "), spelled({"title": "t", "injections": []}),
         spelled({"title": "t", "injections": [injection("one_id", "a"), injection("one_id", "b")]}),
         spelled({"title": "t", "injections": [injection("Bad Id", "a")]})],
    )  # fmt: skip
    def test_what_is_no_plan_is_refused(self, text):
        with pytest.raises(NotAPlan):
            parse_plan(text)

    def test_is_read(self):
        assert [one.id for one in parse_plan(PLAN)] == ["proxy_approval", "missed"]


class TestOverHttp:
    async def test_what_caught_is_found_and_timed(self, chronicle, kit):
        committed = await chronicle.post("/v1/drills", {"commitment": COMMITTED.commitment})
        assert committed.status_code == 201, committed.text
        id, now = committed.json()["id"], datetime.now(UTC)
        body = {"plan": PLAN, "salt": SALT, "injected": dict.fromkeys(("proxy_approval", "missed"), now.isoformat())}
        denied = kit.record(
            "registry", 1, "registry.authorization.denied", {}, recorded_at=now + timedelta(seconds=3),
            meta=json.dumps({"actor": {"person": "anna"}}).encode(),
        )  # fmt: skip
        early = kit.replace(denied, recorded_at=now - timedelta(seconds=3))
        await chronicle.seal("registry", [early, kit.replace(denied, position=2, version=2, event_id=kit.UUID(int=7))])
        altered = body | {"plan": PLAN.replace("anna", "nina")}
        answer = await chronicle.post(f"/v1/drills/{id}/reveals", altered)
        assert (answer.status_code, answer.json()["code"]) == (409, "drill.plan_altered")
        answer = await chronicle.post(f"/v1/drills/{id}/reveals", body)
        assert answer.status_code == 201, answer.text
        (fact,) = answer.json()["facts"]
        one, other = fact["data"]["catches"]
        assert (one["place"], one["seconds"], other["caught"]) == ("registry/2", 3.0, False)
        assert (fact["data"]["caught"], fact["data"]["missed"]) == (1, 1)
        assert (await chronicle.post("/v1/drills", {"commitment": COMMITTED.commitment}, by="anna")).status_code == 403

    async def test_nothing_counts_that_was_before_the_commitment(self, chronicle):
        committed = await chronicle.post("/v1/drills", {"commitment": COMMITTED.commitment})
        early = dict.fromkeys(("proxy_approval", "missed"), "2020-01-01T00:00:00Z")
        body = {"plan": PLAN, "salt": SALT, "injected": early}
        answer = await chronicle.post(f"/v1/drills/{committed.json()['id']}/reveals", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "drill.injected_earlier")


class TestStranger:
    """The verifier holds the revealed plan against the commitment in the ledger, whatever our service said."""

    @pytest.mark.parametrize(
        ("plan", "state"), [(PLAN, "as committed"), (PLAN.replace("anna", "nina"), "plan altered")]
    )
    def test_finds_an_altered_plan(self, kit, plan, state):
        facts = [("committed", COMMITTED), ("revealed", replace(REVEALED, plan=plan))]
        catalogue = DRILL.facts
        records = []
        for position, (kind, fact) in enumerate(facts, 1):
            record = kit.record("audit", position, f"audit.drill.{kind}", {})
            records.append(kit.record_to_json(kit.replace(record, data=catalogue.encode(fact).data)))
        told = json.loads(document.build({"audit": records}, {"audit": {"position": 2, "root": ""}}))
        assert told["drills"]["d"]["state"] == state
