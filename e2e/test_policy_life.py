"""Policy from draft to effect on a running stack: form data, rehearsal, two persons, the engine, every service."""

import hashlib
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from e2e.journey.data import PURPOSE
from e2e.journey.world import Problem

from letopis.common.serialization import canonical

CAP = "settings/registry/session/cap/cores"
RETAIL = f"overlays/retail/{CAP}"
MODE = "rules/features/query/cost.scheduled/mode"
OWN = "settings/features/query/rows_of_groups"
OWNED = {"people": {"column": "account_id", "prefix": "account:"}}
ROWS = "settings/features/query/scheduled_rows"
TRAININGS = "settings/registry/principal/trainings"
OWNERS = {"access": "features"}
SERVICES = ("registry", "features", "inference", "monitoring", "audit", "console")


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


@pytest.fixture(scope="module")
def written(played):
    """What is in force before; put back afterwards, by a release as well."""
    before = played["irina"].get("registry", "/v1/policy")
    yield before
    now = played["irina"].get("registry", "/v1/policy")
    if taken := {path: before["changes"].get(path) for path in now["changes"]}:
        published(played, "As before", taken, before["revision"])


def drafted(world, title, changes):
    body = {"title": title, "reason": "tried end to end", "changes": changes}
    receipt = world["pavel"].post("registry", "/v1/policy-releases", body)
    return receipt["facts"][0]["data"]


def rehearsed(world, release_id, newest=300):
    path = f"/v1/policy-releases/{release_id}/rehearsals"
    return world["pavel"].post("registry", path, {"newest": newest})["facts"][0]["data"]


def publish(world, release_id, sha):
    path = f"/v1/policy-releases/{release_id}/publication"
    return world["vera"].post("registry", path, {"rehearsal": sha})


def published(world, title, changes, revision=""):
    """Draft, rehearsal and publication; returns once every service answers under the new revision."""
    draft = drafted(world, title, changes)
    publish(world, draft["release_id"], rehearsed(world, draft["release_id"], 50)["sha256"])
    assert revision in {"", draft["revision"]}
    world.until(f"{title} in force everywhere", lambda: revisions(world) == {draft["revision"]})
    return draft


def revisions(world):
    """The revisions that the services are answered with, told by a denial in each one's ledger."""
    return {told_of(world, service, denial(world, service))["revision"] for service in SERVICES}


def denial(world, service):
    """An application asks for a ledger that is not its own."""
    return world["bank-app"].refused("GET", service, f"/v1/ledgers/{service}/facts?limit=1")


def told_of(world, service, problem):
    """The authorization that was recorded with a denial."""
    number, after = problem.document["authorization_id"], max(head(world, service) - 100, 0)
    text = world["irina"].send("GET", service, f"/v1/ledgers/{service}/facts?after={after}&limit=1000").text
    found = [json.loads(json.loads(line)["meta"])["authorization"] for line in text.splitlines()]
    return next(one for one in found if one and one["authorization_id"] == number)


def head(world, ledger):
    answer = world["irina"].send("GET", OWNERS.get(ledger, ledger), f"/v1/ledgers/{ledger}/facts?limit=1")
    return int(answer.headers["letopis-head"])


def session(world, login, cores):
    """Opens and closes a session; the receipt of the opening."""
    receipt = world[login].post("registry", "/v1/sessions", {"cores": cores, "memory_gb": 8})
    world[login].post("registry", f"/v1/sessions/{login}/{receipt['facts'][0]['data']['session_id']}/close")
    return receipt


def too_big(world, login, cores):
    return world[login].refused("POST", "registry", "/v1/sessions", json={"cores": cores, "memory_gb": 8})


class TestLife:
    def test_a_change_is_rehearsed_signed_and_published_by_a_second_person(self, played, written):
        """Draft, rehearsal, publication; the engine and all six services answer under the new revision."""
        session(played, "anna", 48)
        draft = drafted(played, "Smaller sessions", {CAP: 32, MODE: "observe", ROWS: 0, OWN: OWNED})
        rehearsal = rehearsed(played, draft["release_id"])
        assert rehearsal["away"] == []
        assert {one["ledger"] for one in rehearsal["stretches"]} >= {"registry", "access", "inference", "audit"}
        shown = played["irina"].get("registry", f"/v1/policy-releases/{draft['release_id']}/rehearsal")
        assert hashlib.sha256(canonical(shown)).hexdigest() == rehearsal["sha256"]
        key = b64decode(played.http.get(f"{played.urls['registry']}/v1/keys").json()["public_key"])
        statement = f"letopis-rehearsal-v1\n{rehearsal['sha256']}".encode()
        Ed25519PublicKey.from_public_bytes(key).verify(b64decode(rehearsal["signature"]), statement)
        (flip,) = [one for one in shown["flips"] if one["login"] == "anna" and one["after"]["deny"]][:1]
        assert (flip["before"]["deny"], flip["after"]["deny"]) == ([], ["limit.role"])
        changed = {(one["action"], one["rule"], one["change"]) for one in shown["changes"]}
        assert ("registry.session.open", "limit.role", "newly denied") in changed
        assert {rule for _, rule, _ in changed} <= {"limit.role", "cost.scheduled", ""}, (
            "nothing else has to do with it"
        )

        path = f"/v1/policy-releases/{draft['release_id']}/publication"
        own = played["pavel"].refused("POST", "registry", path, json={"rehearsal": rehearsal["sha256"]})
        assert (own.status, own.rules) == (403, ["release.self_publication"])
        blind = played["vera"].refused("POST", "registry", path, json={"rehearsal": "0" * 64})
        assert (blind.status, blind.document["code"]) == (409, "policy_release.not_rehearsed")
        publish(played, draft["release_id"], rehearsal["sha256"])
        played.until("the release in force everywhere", lambda: revisions(played) == {draft["revision"]})
        refused = too_big(played, "anna", 48)
        assert refused.rules == ["limit.role"]
        assert told_of(played, "registry", refused)["revision"] == draft["revision"] != written["revision"]
        session(played, "anna", 32)
        # A rule on trial: the service of another room lets pass what it refused before, and records that it saw it.
        # Rows are an obligation: of this source a person sees those of their own groups, in counts as well.
        played["olga"].post("registry", "/v1/principals/anna/groups", {"group": "account:5"})
        query = {"sql": "SELECT count(*) AS n FROM people", "scheduled": True}
        before = head(played, "access")
        assert played["anna"].post("features", "/v1/queries", query, purpose=PURPOSE)["rows"] == [[1]]
        text = played["irina"].send("GET", "features", f"/v1/ledgers/access/facts?after={before}&limit=10").text
        answers = [json.loads(json.loads(line)["meta"])["authorization"]["result"] for line in text.splitlines()]
        assert answers[0]["observed"] == ["cost.scheduled"]

    def test_what_no_room_lets_be_changed_is_refused_by_name(self, played, written):
        body = {"title": "Too much", "reason": "tried end to end", "changes": {CAP: 0, "modules/gate.rego": "x"}}
        refused = played["pavel"].refused("POST", "registry", "/v1/policy-releases", json=body)
        assert (refused.status, refused.document["code"]) == (422, "policy.change_refused")
        assert len(refused.document["complaints"]) == 2


class TestPilot:
    def test_who_looks_after_a_department_tightens_it_and_nothing_else(self, played, written):
        """D26: the care of policy is given away department by department, and stays inside that scope."""
        olga = played["olga"]
        olga.post("registry", "/v1/principals/boris/groups", {"group": "policy:retail"})
        olga.post("registry", "/v1/principals/oleg/groups", {"group": "department:retail"})
        boris = played["boris"]
        for changes in ({CAP: 16}, {f"overlays/cards/{CAP}": 16}, {RETAIL: 16, CAP: 16}):
            body = {"title": "Out of scope", "reason": "tried end to end", "changes": changes}
            refused = boris.refused("POST", "registry", "/v1/policy-releases", json=body)
            assert (refused.status, refused.rules) == (403, ["release.out_of_scope"])
        body = {"title": "Looser", "reason": "tried end to end", "changes": {RETAIL: 65}}
        assert "never loosen" in boris.refused("POST", "registry", "/v1/policy-releases", json=body).document["detail"]
        body = {"title": "Retail is smaller", "reason": "tried end to end", "changes": {RETAIL: 16}}
        draft = boris.post("registry", "/v1/policy-releases", body)["facts"][0]["data"]
        publish(played, draft["release_id"], rehearsed(played, draft["release_id"], 50)["sha256"])
        played.until("the tightening in force", lambda: revisions(played) == {draft["revision"]})
        assert too_big(played, "oleg", 17).rules == ["limit.role"]
        session(played, "anna", 17)
        session(played, "oleg", 16)


class TestTraining:
    def test_a_role_counts_while_what_it_requires_is_attested(self, played, written):
        """A34: which training a role requires is policy; unless it is attested the role opens nothing anywhere."""
        oleg, pavel = played["oleg"], played["pavel"]
        assert sources(oleg) == []
        published(played, "Trained engineers", {TRAININGS: {"data_engineer": ["personal-data"]}})
        for service, path in (("features", "/v1/sources"), ("registry", "/v1/models")):
            refused = oleg.refused("GET", service, path)
            assert (refused.status, refused.rules) == (403, ["role.untrained"])
            assert "personal-data" in refused.document["detail"]
        today = datetime.now(UTC).date()
        attested = {"training": "personal-data", "until": str(today + timedelta(days=1)), "evidence": "0" * 64}
        place = "/v1/principals/{}/trainings"
        assert "role.not_granted" in oleg.refused("POST", "registry", place.format("boris"), json=attested).rules
        own = pavel.refused("POST", "registry", place.format("pavel"), json=attested)
        assert own.rules == ["trainings.own"]
        pavel.post("registry", place.format("oleg"), attested)
        assert played.until("the training to count", lambda: sources(oleg) == [])
        assert played["irina"].get("registry", "/v1/principals/oleg")["trainings"].keys() == {"personal-data"}
        # Its last day is over.
        pavel.post("registry", place.format("oleg"), attested | {"until": str(today - timedelta(days=1))})
        assert played.until("the training to run out", lambda: sources(oleg) == ["role.untrained"])


def sources(actor):
    """By which rules the list of sources is refused; none if it is given."""
    try:
        actor.get("features", "/v1/sources")
    except Problem as problem:
        return problem.rules
    return []
