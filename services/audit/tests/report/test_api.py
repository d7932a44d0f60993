"""Reports over HTTP: issued at signed positions, the same bytes again, handed out with their signed envelope."""

import json
from hashlib import sha256

import jsonschema
import pytest
from audit_story import half_year

from letopis.audit.evidence.verifier.note import keys_of, opened
from letopis.audit.evidence.verifier.pack import ENVELOPE, canonical
from letopis.audit.report import document
from letopis.audit.report.shelf import Shelf
from letopis.audit.report.views import IssuedReport
from letopis.common.database import open_engine
from letopis.common.following import News, OwnLedger
from letopis.common.projecting import Projector


@pytest.fixture
def stock(request, little, half_a_year):
    return half_a_year if "year" in request.fixturenames else little


@pytest.fixture
def sealed(chronicle):
    return chronicle


@pytest.fixture
def year():
    """Half a year's facts, all of them under signed heads."""
    return half_year()


class TestIssue:
    async def test_at_the_newest_signed_heads(self, sealed):
        issued = await sealed.post("/v1/reports", {"type": "model_inventory"})
        assert issued.status_code == 201, issued.text
        [fact] = issued.json()["facts"]
        assert fact["data"]["positions"] == {"registry": 3, "inference": 0}
        definition = Shelf.of().definition("model_inventory")
        assert fact["data"]["generator_sha256"] == document.generator(definition)
        told = (await sealed.get(f"/v1/reports/{issued.json()['id']}")).json()
        assert told["rows"] == 1
        assert told["as_of"]["registry"]["root"] == fact["data"]["roots"]["registry"]

    async def test_again_has_the_same_bytes_though_the_ledger_grew(self, sealed, kit):
        """Row: a report issued again at the same position has identical bytes, its pages too."""
        first = await sealed.post("/v1/reports", {})
        forms = ({}, {"format": "csv"}, {"format": "pdf", "lang": "ru"}, {"format": "pdf"})
        before = [(await sealed.get(f"/v1/reports/{first.json()['id']}", **one)).content for one in forms]
        about = {"model_id": "other", "name": "Other", "owner": "anna", "description": ""}
        await sealed.seal("registry", [kit.record("registry", 4, "registry.model.registered", about)])
        again = await sealed.post("/v1/reports", {"positions": {"registry": 3}}, by="rita")
        assert again.json()["id"] == first.json()["id"]
        assert [(await sealed.get(f"/v1/reports/{again.json()['id']}", **one)).content for one in forms] == before
        newer = await sealed.post("/v1/reports", {})
        assert newer.json()["id"] != first.json()["id"]
        assert (await sealed.get(f"/v1/reports/{newer.json()['id']}")).json()["rows"] == 2

    async def test_beyond_the_signed_head_is_refused(self, sealed):
        answer = await sealed.post("/v1/reports", {"positions": {"registry": 4}})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")

    async def test_of_every_type_keeps_to_the_schema_that_is_published(self, chronicle, year):
        types = (await chronicle.get("/v1/report-types")).json()
        assert len(types) >= 6
        decision = str(year.records["decisions"][1].event_id)
        for one in types:
            scope = {"decision_id": decision} if one["scope"] else {}
            issued = await chronicle.post("/v1/reports", {"type": one["type"], "scope": scope})
            assert issued.status_code == 201, issued.text
            rules = (await chronicle.get(f"/v1/report-types/{one['type']}/schema")).json()
            jsonschema.validate((await chronicle.get(f"/v1/reports/{issued.json()['id']}")).json(), rules)

    async def test_about_what_it_is_not_about_is_refused(self, chronicle, year):
        for body, code in (
            ({"type": "nothing"}, "report.type_unknown"),
            ({"type": "decision_file"}, "report.scope_wrong"),
            ({"type": "change_log", "scope": {"decision_id": "x"}}, "report.scope_wrong"),
            ({"type": "decision_file", "scope": {"decision_id": "x"}}, "evidence.fact_unknown"),
            (
                {"type": "decision_file", "scope": {"decision_id": str(year.records["registry"][0].event_id)}},
                "evidence.no_decision",
            ),
        ):
            assert (await chronicle.post("/v1/reports", body)).json()["code"] == code


class TestEnvelope:
    async def test_tells_who_asked_and_why_and_is_signed(self, sealed):
        issued = (await sealed.post("/v1/reports", {})).json()
        told = (await sealed.get(f"/v1/reports/{issued['id']}/envelope")).json()
        keys = keys_of(sealed.resources.signer.verifier().text())
        digest = sha256(canonical(told["envelope"])).hexdigest()
        assert opened(told["note"].encode(), keys) == f"{ENVELOPE}\n{digest}\n"
        one = told["envelope"]
        assert (one["issued"]["by"], one["issued"]["purpose"]) == ("irina", "supervision")
        assert one["issued"]["policy_revision"]
        assert one["ledgers"]["registry"] == {
            "first": 1,
            "last": 3,
            "root": one["ledgers"]["registry"]["root"],
            "gaps": 0,
        }
        for form, query in (("json", {}), ("csv", {"format": "csv"}), ("pdf.ru", {"format": "pdf", "lang": "ru"})):
            data = (await sealed.get(f"/v1/reports/{issued['id']}", **query)).content
            assert sha256(data).hexdigest() == one["files"][form]

    async def test_of_an_unknown_report_is_not_found(self, sealed):
        assert (await sealed.get("/v1/reports/nothing/envelope")).status_code == 404


class TestRead:
    async def test_as_csv_is_made_of_the_same_report(self, sealed):
        issued = await sealed.post("/v1/reports", {})
        answer = await sealed.get(f"/v1/reports/{issued.json()['id']}", format="csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.splitlines()[1].startswith("credit,Кредит,anna,")
        section = await sealed.get(f"/v1/reports/{issued.json()['id']}", section="versions")
        assert section.text.splitlines()[1].startswith("credit.1,anna,xgboost")
        nothing = await sealed.get(f"/v1/reports/{issued.json()['id']}", section="none")
        assert nothing.json()["code"] == "report.section_unknown"

    async def test_as_pages_in_both_languages(self, sealed):
        issued = await sealed.post("/v1/reports", {})
        for lang in ("ru", "en"):
            answer = await sealed.get(f"/v1/reports/{issued.json()['id']}", format="pdf", lang=lang)
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF-")

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
        projector = Projector(
            IssuedReport, {"audit": OwnLedger(sealed.resources.store, "audit", News(), busy=0, quiet=0)}, engine
        )
        while not projector.live or await projector.step():
            await projector.step()
        [told] = (await sealed.get("/v1/reports")).json()
        await engine.dispose()
        assert told["report_id"] == issued.json()["id"]
        assert (told["times_issued"], told["times_read"], told["by"]) == (1, 1, "irina")
        assert told["languages"] == ["en", "ru"]
