"""Reports over HTTP: issued at signed positions, the same bytes again, each reading a fact."""

import json

import pytest

from letopis.audit.report import inventory
from letopis.audit.report.views import IssuedReport
from letopis.common.database import open_engine
from letopis.common.following import News, OwnLedger
from letopis.common.projecting import Projector


@pytest.fixture
async def sealed(chronicle, kit):
    await chronicle.seal("registry", kit.registry())
    await chronicle.seal("inference")
    return chronicle


class TestIssue:
    async def test_at_the_newest_signed_heads(self, sealed):
        issued = await sealed.post("/v1/reports", {"type": "model_inventory"})
        assert issued.status_code == 201, issued.text
        [fact] = issued.json()["facts"]
        assert fact["data"]["positions"] == {"registry": 3, "inference": 0}
        assert fact["data"]["generator_sha256"] == inventory.generator()
        report = await sealed.get(f"/v1/reports/{issued.json()['id']}")
        document = report.json()
        assert [model["model_id"] for model in document["models"]] == ["credit"]
        assert document["as_of"]["registry"]["root"] == fact["data"]["roots"]["registry"]

    async def test_again_has_the_same_bytes_though_the_ledger_grew(self, sealed, kit):
        """Row: a report issued again at the same position has identical bytes."""
        first = await sealed.post("/v1/reports", {})
        before = await sealed.get(f"/v1/reports/{first.json()['id']}")
        about = {"model_id": "other", "name": "Other", "owner": "anna", "description": ""}
        await sealed.seal("registry", [kit.record("registry", 4, "registry.model.registered", about)])
        again = await sealed.post("/v1/reports", {"positions": {"registry": 3}}, by="rita")
        assert again.json()["id"] == first.json()["id"]
        assert (await sealed.get(f"/v1/reports/{again.json()['id']}")).content == before.content
        newer = await sealed.post("/v1/reports", {})
        assert newer.json()["id"] != first.json()["id"]
        document = (await sealed.get(f"/v1/reports/{newer.json()['id']}")).json()
        assert document["rows"] == 2

    async def test_beyond_the_signed_head_is_refused(self, sealed):
        answer = await sealed.post("/v1/reports", {"positions": {"registry": 4}})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")


class TestRead:
    async def test_as_csv_is_made_of_the_same_report(self, sealed):
        issued = await sealed.post("/v1/reports", {})
        answer = await sealed.get(f"/v1/reports/{issued.json()['id']}", format="csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.splitlines()[1].startswith("credit,Кредит,anna,")

    async def test_is_recorded(self, sealed):
        issued = await sealed.post("/v1/reports", {})
        await sealed.get(f"/v1/reports/{issued.json()['id']}", by="rita")
        last = (await sealed.facts())[-1]
        assert (last.type, json.loads(last.data)["by"]) == ("audit.report.read", "rita")

    async def test_of_an_unknown_report_is_not_found(self, sealed):
        assert (await sealed.get("/v1/reports/nothing")).status_code == 404


class TestList:
    async def test_tells_what_was_issued_and_how_often_it_was_read(self, sealed, settings):
        issued = await sealed.post("/v1/reports", {})
        await sealed.get(f"/v1/reports/{issued.json()['id']}")
        engine = open_engine(settings.projector_url)
        projector = Projector(IssuedReport, {"audit": OwnLedger(sealed.resources.store, "audit", News())}, engine)
        while not projector.live or await projector.step():
            await projector.step()
        [told] = (await sealed.get("/v1/reports")).json()
        await engine.dispose()
        assert told["report_id"] == issued.json()["id"]
        assert (told["times_issued"], told["times_read"], told["by"]) == (1, 1, "irina")
