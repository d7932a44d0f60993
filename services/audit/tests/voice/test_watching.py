"""The heartbeat over real copies and heads; a ledger, a service and a model that fall silent."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from letopis.audit.log.note import open_note
from letopis.audit.voice import watching as module
from letopis.audit.voice.views import Speaker
from letopis.audit.voice.watching import MODEL_SILENT, SERVICE_SILENT, Watching, heartbeat_signer
from letopis.common.clock import FixedClock
from letopis.common.errors import Unavailable
from letopis.common.ledgers import LEDGERS
from letopis.common.observability import Metrics


@dataclass
class Owner:
    """A ledger's owner that can be away."""

    records: list = field(default_factory=list)
    away: bool = False
    known: int = 0

    async def read(self, after, limit, *, sure=False):
        if self.away:
            raise Unavailable("away")
        return self.records[after : after + limit]


@pytest.fixture
def owners():
    return {ledger: Owner() for ledger in LEDGERS}


@pytest.fixture
def speakers(monkeypatch):
    """The models of whom the watcher knows, without a projector."""
    known = []

    async def told(_views):
        return known

    monkeypatch.setattr(module.views, "speakers", told)
    return known


@pytest.fixture
def watching(chronicle, owners, speakers, kit):
    resources = chronicle.resources
    return Watching(
        sources=owners,
        copies=resources.copies,
        log=resources.log,
        desk=resources.desk,
        views=resources.views,
        clock=FixedClock(kit.START),
        signer=heartbeat_signer(resources.settings.origin, resources.log),
        metrics=Metrics("audit"),
    )


def later(watching, seconds):
    watching.clock = FixedClock(watching.clock.now() + timedelta(seconds=seconds))


async def said(chronicle, kind):
    return [json.loads(one.data) for one in await chronicle.facts() if one.type == f"audit.{kind}"]


class TestHeartbeat:
    async def test_is_signed_recorded_and_public(self, chronicle, watching, owners, kit):
        owners["registry"].records = kit.registry()
        await chronicle.seal("registry", kit.registry())
        assert await watching.beat()
        (beat,) = await said(chronicle, "heartbeat.recorded")
        assert beat["ledgers"]["registry"] == {"owner": 3, "copied": 3, "sealed": 3, "halted": False}
        note = (await chronicle.client.get("/heartbeat")).text
        assert note == beat["note"]
        text = open_note(note, [watching.signer.verifier()])
        assert "\nregistry 3 3 3\n" in text
        key = (await chronicle.client.get("/heartbeat/key")).text.strip()
        assert key == watching.signer.verifier().text()

    async def test_what_was_there_a_minute_before_and_is_not_sealed_is_told(self, chronicle, watching, owners, kit):
        owners["registry"].records = kit.registry()
        assert await watching.beat()
        later(watching, 60)
        assert not await watching.beat()
        await chronicle.seal("registry", kit.registry())
        later(watching, 60)
        assert await watching.beat()
        told = [beat["missing"] for beat in await said(chronicle, "heartbeat.recorded")]
        assert told == [[], ["registry: 3 were there a minute ago, 0 are copied"], []]

    async def test_none_is_there_before_the_first(self, chronicle):
        assert (await chronicle.client.get("/heartbeat")).status_code == 404


class TestSilence:
    async def test_of_a_service_is_an_alarm_and_so_is_its_end(self, chronicle, watching, owners):
        await watching.beat()
        assert await watching.listen() == 0
        owners["monitoring"].away = True
        for _ in range(2):
            later(watching, SERVICE_SILENT + 1)
            await watching.beat()
            assert await watching.listen() == 1
        owners["monitoring"].away = False
        await watching.beat()
        assert await watching.listen() == 0
        assert [one["name"] for one in await said(chronicle, "silence.began")] == ["monitoring"]
        assert [one["name"] for one in await said(chronicle, "silence.ended")] == ["monitoring"]

    async def test_of_a_model_that_answers_an_application(self, chronicle, watching, speakers):
        now = watching.clock.now()
        speakers += [Speaker("credit", True, now), Speaker("retired", False, now)]
        later(watching, MODEL_SILENT + 1)
        await watching.beat()
        assert await watching.listen() == 1
        speakers[0] = Speaker("credit", True, watching.clock.now())
        assert await watching.listen() == 0
        assert [one["name"] for one in await said(chronicle, "silence.began")] == ["credit"]

    async def test_of_a_ledger_of_which_a_person_expects_something(self, chronicle, watching, kit):
        await chronicle.seal("registry", kit.registry())
        path, body = "/v1/expectations/ledger/registry", {"within_seconds": 3600, "reason": "the bank registers daily"}
        headers = {"Letopis-Purpose": "supervision", "Authorization": "Bearer olga"}
        answer = await chronicle.client.put(path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        await watching.beat()
        assert await watching.listen() == 0
        later(watching, 3700)
        await watching.beat()
        assert await watching.listen() == 1
        refused = await chronicle.client.put(path, json=body, headers=headers | {"Authorization": "Bearer anna"})
        assert refused.status_code == 403
