"""Asking for a replay: by policy, for a purpose, of facts that exist; and what the status says."""

import pytest

PURPOSE = {"Letopis-Purpose": "siem onboarding"}


@pytest.fixture
async def asking(staffed):
    """Sends as Irina the auditor, with a purpose unless told otherwise."""

    async def ask(by="irina", purpose=PURPOSE, **body):
        headers = {"Authorization": f"Bearer {by}"} | purpose
        body = {"subscriber": "siem", "ledger": "registry"} | body
        return await staffed.client.post("/v1/replays", json=body, headers=headers)

    return staffed, ask


class TestAsk:
    async def test_it_is_recorded_as_positions_and_told_where_to_read(self, asking):
        registry, ask = asking
        head = await registry.resources.store.head("registry")
        answer = await ask(types=["registry.principal.registered"], first=2, last=10**9)
        assert answer.status_code == 201, answer.text
        told = answer.json()["facts"][0]
        assert told["type"] == "registry.replay.asked"
        assert (told["data"]["first"], told["data"]["last"], told["data"]["person"]) == (2, head, "irina")
        status = (await registry.get(f"/v1/replays/{answer.json()['id']}", "irina")).json()
        assert status["state"] == "running"
        assert status["subject"] == f"letopis.replay.siem.{answer.json()['id']}"
        assert (status["stream"], status["position"], status["published"]) == ("REPLAYS", 1, 0)

    async def test_times_become_positions(self, asking):
        registry, ask = asking
        records = await registry.resources.store.read("registry", 0, 1000)
        since, until = records[3].recorded_at.isoformat(), records[7].recorded_at.isoformat()
        told = (await ask(since=since, until=until)).json()["facts"][0]["data"]
        expected = [
            one.position for one in records if records[3].recorded_at <= one.recorded_at < records[7].recorded_at
        ]
        assert [told["first"], told["last"]] == [expected[0], expected[-1]]

    async def test_what_cannot_be_told_is_refused(self, asking):
        _, ask = asking
        assert (await ask(ledger="features")).status_code == 404
        assert (await ask(first=10**6)).json()["code"] == "replay.empty"
        assert (await ask(since="2126-01-01T00:00:00Z")).json()["code"] == "replay.empty"
        assert (await ask(since="2026-01-01T00:00:00")).status_code == 422
        assert (await ask(subscriber="siem.>")).status_code == 422
        assert (await ask(types=["registry.>"])).status_code == 422

    async def test_only_who_may_and_says_why(self, asking):
        registry, ask = asking
        assert (await ask(purpose={})).json()["reasons"][0]["rule"] == "input.incomplete"
        assert (await ask(by="anna")).json()["reasons"][0]["rule"] == "role.not_granted"
        assert (await registry.get("/v1/replays/none", "anna")).status_code == 403
        assert (await registry.get("/v1/replays/none", "irina")).json()["code"] == "replay.unknown"
