"""Poison in a real ledger: other streams go on, two people release it, and what waited goes through in order."""

from collections import Counter

import pytest

from letopis.common.database import open_engine
from letopis.common.following import News, OwnLedger
from letopis.common.observability import Metrics
from letopis.common.parked.reactions import releases
from letopis.common.reacting import Reaction, Reactor
from letopis.registry.contract import CONTRACT

REASON = "the reaction knows reviewers now"


class Hand:
    """A reaction that cannot take facts of one stream until it is mended."""

    def __init__(self):
        self.done, self.mended = [], False

    async def __call__(self, told):
        if told.record.stream == "principal:vera" and told.record.version == 1 and not self.mended:
            raise ValueError("Vera Kuznetsova, +7 912 000 00 00")
        self.done.append((told.record.stream, told.record.version))


@pytest.fixture
async def desk(staffed):
    """The registry with two operators, a reaction that meets poison, and the reaction that releases it."""
    for login in ("oleg", "petr"):
        body = {"login": login, "person": login, "name": login.title(), "roles": ["operator"]}
        assert (await staffed.post("/v1/principals", "olga", body)).status_code == 201
    engine = open_engine(staffed.resources.settings.database_url)
    hand, sources = Hand(), {"registry": OwnLedger(staffed.resources.store, "registry", News(), busy=0, quiet=0)}
    metrics = Metrics("test")
    probe = Reactor(Reaction(name="probe", sources={"registry": CONTRACT}, react=hand), sources, engine, metrics)
    release = Reactor(releases("registry", engine), sources, engine, metrics)
    yield staffed, hand, probe, release
    await engine.dispose()


async def to_the_end(*reactors):
    for one in reactors:
        while await one.step():
            pass


async def listed(registry, by="oleg"):
    answer = await registry.get("/v1/parked", by)
    assert answer.status_code == 200, answer.text
    return answer.json()["parked"]


class TestRelease:
    async def test_two_people_have_it_tried_again_and_its_stream_goes_on_in_order(self, desk):
        registry, hand, probe, release = desk
        await to_the_end(probe)
        (one,) = await listed(registry)
        assert one["stream"] == "principal:vera"
        assert one["waiting"] == (await registry.resources.store.stream_head("registry", "principal:vera")) - 1 > 0
        assert one["error"].startswith("ValueError at ")
        assert "Kuznetsova" not in one["error"], "what an error says may be personal"
        assert "principal:vera" not in dict(hand.done)
        assert "principal:petr" in dict(hand.done), "later streams go on"
        path = f"/v1/parked/{one['parked_id']}"
        assert (
            probe.metrics.registry.get_sample_value(
                "letopis_reaction_parked", {"reaction": "probe", "ledger": "registry"}
            )
            == 1 + one["waiting"]
        )

        short = await registry.post(f"{path}/requests", "oleg", {"way": "retry", "reason": "why not"})
        assert short.json()["reasons"][0]["rule"] == "parked.reason"
        early = await registry.post(f"{path}/agreements", "petr", {"way": "retry"})
        assert early.json()["code"] == "parked.nothing_asked"
        asked = await registry.post(f"{path}/requests", "oleg", {"way": "retry", "reason": REASON})
        assert asked.status_code == 201, asked.text
        own = await registry.post(f"{path}/agreements", "oleg", {"way": "retry"})
        assert own.status_code == 403
        assert own.json()["reasons"][0]["rule"] == "four_eyes.same_person"
        other = await registry.post(f"{path}/agreements", "petr", {"way": "skip"})
        assert other.json()["code"] == "parked.other_way"
        await to_the_end(release, probe)
        assert "principal:vera" not in dict(hand.done), "one person alone releases nothing"

        # Agreed before it was mended: it fails again, and says so.
        assert (await registry.post(f"{path}/agreements", "petr", {"way": "retry"})).status_code == 201
        await to_the_end(release, probe)
        (again,) = await listed(registry)
        assert (again["attempts"], again["asked"]) == (2, None)

        hand.mended = True
        await registry.post(f"{path}/requests", "oleg", {"way": "retry", "reason": REASON})
        agreed = await registry.post(f"{path}/agreements", "petr", {"way": "retry"})
        await to_the_end(release, probe)
        assert await listed(registry) == []
        records = await registry.resources.store.read("registry", 0, 1000)
        known = [(one.stream, one.version) for one in records if CONTRACT.knows(one.type)]
        assert Counter(hand.done) == Counter(known), "each fact once"
        for stream in dict(known):
            assert [v for name, v in hand.done if name == stream] == [v for name, v in known if name == stream]
        fact = agreed.json()["facts"][0]
        assert fact["type"] == "registry.parked.release_agreed"
        told = fact["data"]
        assert (told["asked_by"], told["person"], told["way"], told["reason"]) == ("oleg", "petr", "retry", REASON)
        assert (await registry.post(f"{path}/requests", "oleg", {"way": "skip", "reason": REASON})).status_code == 404

    async def test_a_skipped_fact_is_on_record_and_what_waited_goes_through(self, desk):
        registry, hand, probe, release = desk
        await to_the_end(probe)
        (one,) = await listed(registry)
        path = f"/v1/parked/{one['parked_id']}"
        await registry.post(f"{path}/requests", "oleg", {"way": "skip", "reason": "she left before this reaction"})
        agreed = await registry.post(f"{path}/agreements", "petr", {"way": "skip"})
        # Told twice, as after a crash.
        await to_the_end(release, probe)
        release.positions["registry"] = agreed.json()["facts"] and int(agreed.json()["position"].split("/")[1]) - 1
        await to_the_end(release, probe)
        assert await listed(registry) == []
        versions = [v for name, v in hand.done if name == "principal:vera"]
        assert versions == list(range(2, 2 + one["waiting"]))
        told = agreed.json()["facts"][0]["data"]
        expected = {"event_id": one["event_id"], "asked_by": "oleg", "person": "petr", "position": one["position"]}
        assert told | expected == told

    async def test_who_may_not_look_does_not(self, desk):
        registry, *_ = desk
        assert (await registry.get("/v1/parked", "anna")).status_code == 403
        assert (await registry.get("/v1/parked", "irina")).status_code == 200
