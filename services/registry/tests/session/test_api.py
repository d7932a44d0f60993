"""Sessions over HTTP: inside the limits, never two at once past the quota, refused with who and how much."""

import asyncio
import json


async def denials(registry):
    """What the refusals in the ledger say: the fact and the reasons in its authorization."""
    records = await registry.resources.store.read("registry", 0, 1000)
    found = [one for one in records if one.type == "registry.authorization.denied"]
    return [(json.loads(one.data), json.loads(one.meta)["authorization"]["result"]["reasons"]) for one in found]


async def test_no_role_is_given_more_than_the_cap_and_the_event_says_so(staffed):
    for login in ("anna", "boris", "vera", "olga"):
        refused = await staffed.post("/v1/sessions", login, {"cores": 65, "memory_gb": 8})
        assert refused.status_code == 403
        assert refused.json()["reasons"][0]["rule"] == "limit.role"
        fact, reasons = (await denials(staffed))[-1]
        assert (fact["login"], fact["rules"]) == (login, ["limit.role"])
        assert f"{login} asks for 65 cores and 8 GB, the limit is 64 cores" in reasons["limit.role"]["message"]
    assert (await staffed.post("/v1/sessions", "anna", {"cores": 64, "memory_gb": 256})).status_code == 201


async def test_two_at_once_do_not_pass_the_quota_together(staffed):
    body = {"cores": 60, "memory_gb": 100}
    answers = await asyncio.gather(*(staffed.post("/v1/sessions", "anna", body) for _ in range(4)))
    assert min(one.status_code for one in answers) == 201
    assert sum(one.status_code == 201 for one in answers) == 1
    assert {one.status_code for one in answers} <= {201, 403, 409}
    listed = (await staffed.get("/v1/sessions", "olga")).json()
    assert [(one["login"], one["cores"]) for one in listed] == [("anna", 60)]


async def test_closing_gives_the_quota_back(staffed):
    body = {"cores": 64, "memory_gb": 64}
    assert (await staffed.post("/v1/sessions", "anna", body)).status_code == 201
    refused = await staffed.post("/v1/sessions", "anna", body)
    assert [one["rule"] for one in refused.json()["reasons"]] == ["quota.person"]
    (session,) = (await staffed.get("/v1/sessions", "olga")).json()
    door = f"/v1/sessions/anna/{session['session_id']}/close"
    assert (await staffed.post(door, "boris")).json()["reasons"][0]["rule"] == "session.own_only"
    assert (await staffed.post(door, "anna")).status_code == 201
    assert (await staffed.get("/v1/sessions", "olga")).json() == []
    assert (await staffed.post("/v1/sessions", "anna", body)).status_code == 201
