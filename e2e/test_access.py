"""Who may act: a hundred registered at once, contractors who end, and a review that finds what does not go together."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from e2e.journey.world import Problem

LOGINS = [f"branch-{number:03d}" for number in range(100)]


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


def registered(world, login, **about):
    body = {"login": login, "person": login, "name": login, "organisation": "bank", "roles": []} | about
    return world["olga"].send("POST", "registry", "/v1/principals", json=body)


class TestBatch:
    def test_a_hundred_from_one_template_leave_a_hundred_facts(self, played):
        """A04: 100 principals from one template in one call, 100 audit events, copied by the chronicle too."""
        people = [{"login": one, "person": one, "name": f"Clerk {one}"} for one in LOGINS]
        template = {"organisation": "bank", "roles": ["data_scientist"], "groups": ["branches"], "people": people}
        made = played["olga"].post("registry", "/v1/principals/batch", template)
        told = [one for one in made["facts"] if one["type"] == "registry.principal.registered"]
        assert [one["data"]["login"] for one in told] == LOGINS
        assert all("Clerk" not in one["data"]["name"] for one in told)
        first, last = (played["irina"].get("registry", f"/v1/principals/{login}") for login in (LOGINS[0], LOGINS[-1]))
        assert first["roles"] == last["roles"] == ["data_scientist"]
        position = int(made["position"].partition("/")[2])
        proof = played.until(
            "the chronicle to seal them",
            lambda: _sealed(played, position),
        )
        assert proof["position"] == position


def _sealed(world, position):
    try:
        return world["irina"].get("audit", f"/v1/proofs/inclusion?ledger=registry&position={position}")
    except Problem as problem:
        if problem.status != 409:
            raise
        return None


class TestContractor:
    def test_access_ends_with_the_contract(self, played):
        """A34: a contractor needs an end date, works until it, and the same token opens nothing once it is past."""
        today = datetime.now(UTC).date()
        body = {"login": "denis", "person": "denis", "name": "Denis", "organisation": "vendor"}
        refused = played["olga"].refused("POST", "registry", "/v1/principals", json=body | {"roles": ["auditor"]})
        assert refused.rules == ["contractors.end_date"]
        until = (today + timedelta(days=30)).isoformat()
        assert registered(played, "denis", organisation="vendor", roles=["auditor"], until=until).status_code == 201
        contractor = played["denis"]
        assert played.until("the contractor to be known", lambda: _opens(contractor))
        ended = {"until": (today - timedelta(days=1)).isoformat()}
        assert played["olga"].send("PUT", "registry", "/v1/principals/denis/end-date", json=ended).status_code == 201
        for service in ("registry", "audit"):
            played.until(f"{service} to close", lambda service=service: _closed(contractor, service))


def _opens(contractor):
    try:
        return contractor.send("GET", "registry", "/v1/models").status_code == 200
    except Problem as problem:
        if problem.status != 403:
            raise
        return False


def _closed(contractor, service):
    try:
        contractor.send("GET", service, "/v1/models" if service == "registry" else "/v1/logs")
    except Problem as problem:
        return (problem.status, problem.document["code"]) == (401, "principal.over")
    return False


class TestLead:
    def test_a_team_lead_adds_a_member_without_an_administrator(self, played):
        """B30: who leads a group brings members in and out; it gives them no role, and leads no other group."""
        boris = played["boris"]
        refused = boris.refused("POST", "registry", "/v1/principals/oleg/groups", json={"group": "scoring"})
        assert "groups.not_lead" in refused.rules
        played["olga"].post("registry", "/v1/principals/boris/groups", {"group": "lead:scoring"})
        boris.post("registry", "/v1/principals/oleg/groups", {"group": "scoring"})
        assert "scoring" in played["irina"].get("registry", "/v1/principals/oleg")["groups"]
        refused = boris.refused("POST", "registry", "/v1/principals/oleg/groups", json={"group": "lead:scoring"})
        assert refused.rules == ["groups.not_lead"]
        boris.send("DELETE", "registry", "/v1/principals/oleg/groups/scoring")
        assert "scoring" not in played["irina"].get("registry", "/v1/principals/oleg")["groups"]


class TestReview:
    def test_says_who_can_do_what_and_marks_toxic_pairs(self, played):
        """D14: the export names every person's actions with the role that opens each, and one person's two logins."""
        registered(played, "vera-second", person="vera", roles=["data_scientist"])
        played.until("the second login", lambda: _conflicts(played)["vera"])
        answer = played["irina"].send("POST", "registry", "/v1/access-reviews")
        rows = {row["person"]: row for row in answer.json()["rows"]}
        assert rows["vera"]["logins"] == ["vera", "vera-second"]
        assert rows["anna"]["conflicts"] == []
        assert rows["vera"]["actions"]["registry.promotion.approve"] == ["risk_officer", "validator"]
        assert "registry.promotion.approve" not in rows["rita"]["actions"]
        # What the review says is what happens.
        for person, action in (("anna", "registry.principal.register"), ("olga", "registry.principal.register")):
            allowed = action in rows[person]["actions"]
            body = {"login": "rx", "person": "rx", "name": "rx", "organisation": "x", "roles": []}
            refused = played[person].refused("POST", "registry", "/v1/principals", json=body)
            assert ("role.not_granted" in refused.rules) != allowed
        position = int(answer.headers["Letopis-Position"].partition("/")[2])
        fact = (
            played["irina"].send("GET", "registry", f"/v1/ledgers/registry/facts?after={position - 1}&limit=1").json()
        )
        assert json.loads(fact["data"])["sha256"] == sha256(answer.content).hexdigest()
        lines = csv.DictReader(
            io.StringIO(played["irina"].send("POST", "registry", "/v1/access-reviews?format=csv").text, newline="")
        )
        assert {line["person"]: line["conflicts"] for line in lines}[
            "vera"
        ] == "data_scientist + validator; data_scientist + risk_officer"


def _conflicts(world):
    answer = world["irina"].send("POST", "registry", "/v1/access-reviews")
    return {row["person"]: row["conflicts"] for row in answer.json()["rows"]}
