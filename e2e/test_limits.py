"""Limits that are policy's data: compute by role and person, scans by source; the event names who and how much."""

import json

import pyarrow as pa
import pytest
from e2e.journey.data import PURPOSE, parquet
from e2e.journey.people import STAFF

HEAVY = 20_000


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


def denials(world, service, ledger):
    """Denials of a ledger as its owner's door tells them: the fact, and the reasons in its authorization."""
    found, after = [], 0
    while True:
        lines = world["irina"].send("GET", service, f"/v1/ledgers/{ledger}/facts?after={after}&limit=5000").text
        records = [json.loads(line) for line in lines.splitlines()]
        if not records:
            return found
        after = int(records[-1]["position"])
        found += [
            (json.loads(one["data"]), json.loads(one["meta"])["authorization"]["result"]["reasons"])
            for one in records
            if one["type"] == f"{ledger}.authorization.denied"
        ]


def told_of(world, service, ledger, problem):
    """The event of a refusal, found by the number that the refused person was given."""
    number = problem.document["authorization_id"]
    return next(one for one in denials(world, service, ledger) if one[0]["authorization_id"] == number)


class TestCompute:
    def test_nobody_gets_65_cores_whatever_the_role(self, played):
        """E15: 65 cores are denied for every role; 64 are not."""
        roles = set()
        for login in (*STAFF, "olga"):
            refused = played[login].refused("POST", "registry", "/v1/sessions", json={"cores": 65, "memory_gb": 8})
            assert refused.status == 403, refused
            assert refused.rules == ["limit.role"], refused
            roles |= set(STAFF[login][1]) if login in STAFF else {"administrator", "operator"}
        assert roles >= {
            "data_scientist",
            "data_engineer",
            "validator",
            "model_owner",
            "auditor",
            "regulator",
            "operator",
        }
        opened = played["vera"].post("registry", "/v1/sessions", {"cores": 64, "memory_gb": 256})
        session = opened["facts"][0]["data"]["session_id"]
        played["vera"].post("registry", f"/v1/sessions/vera/{session}/close")

    def test_more_than_the_quota_is_denied_and_the_event_names_who_and_how_much(self, played):
        """A03: a request over quota is denied; the event names the user and the limit."""
        body = {"cores": 64, "memory_gb": 128}
        session = played["anna"].post("registry", "/v1/sessions", body)["facts"][0]["data"]["session_id"]
        refused = played["anna"].refused("POST", "registry", "/v1/sessions", json=body)
        assert refused.status == 403, refused
        assert refused.rules == ["quota.person"]
        fact, reasons = told_of(played, "registry", "registry", refused)
        assert (fact["login"], fact["rules"]) == ("anna", ["quota.person"])
        assert "anna holds 64 cores" in reasons["quota.person"]["message"]
        assert "the quota is 96 cores" in reasons["quota.person"]["message"]
        played["anna"].post("registry", f"/v1/sessions/anna/{session}/close")
        again = played["anna"].post("registry", "/v1/sessions", body)["facts"][0]["data"]["session_id"]
        played["anna"].post("registry", f"/v1/sessions/anna/{again}/close")


class TestScans:
    def test_a_timetable_is_denied_what_a_person_may_look_at(self, played):
        """A18: a scheduled heavy query on test_dwh is denied, by hand it is allowed; a small one may be scheduled."""
        folder = played.data_dir / "sources"
        (folder / "test_dwh.parquet").write_bytes(parquet(pa.table({"row_id": list(range(HEAVY))})))
        oleg, anna = played["oleg"], played["anna"]
        about = {"source_id": "test_dwh", "name": "Test warehouse", "zone": "test", "description": "tries of queries"}
        oleg.post("features", "/v1/sources", about)
        extract = {"files": ["test_dwh.parquet"], "job": "test.dwh", "reason": "to look around"}
        oleg.post("features", "/v1/sources/test_dwh/extracts", extract)
        query = {"sql": "SELECT count(*) AS n FROM test_dwh"}
        assert anna.post("features", "/v1/queries", query, purpose=PURPOSE)["rows"] == [[HEAVY]]
        scheduled = query | {"scheduled": True}
        refused = anna.refused("POST", "features", "/v1/queries", json=scheduled, purpose=PURPOSE)
        assert refused.status == 403, refused
        assert refused.rules == ["cost.scheduled"]
        fact, reasons = told_of(played, "features", "access", refused)
        assert fact["login"] == "anna"
        assert "test_dwh holds 20000 rows, a timetable may read 10000" in reasons["cost.scheduled"]["message"]
        small = {"sql": "SELECT count(*) AS n FROM people", "scheduled": True}
        assert anna.post("features", "/v1/queries", small, purpose=PURPOSE)["rows"] == [[played.accounts]]
