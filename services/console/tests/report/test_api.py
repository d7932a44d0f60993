"""The page of reports: audit is asked as the person who looks, and what it hands out goes through as it is."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

OURS = {"origin": "http://console.test"}
TYPES = [
    {
        "type": "change_log",
        "title": {"en": "Change log", "ru": "Журнал изменений"},
        "lead": {"en": "", "ru": ""},
    }
]
ISSUED = [
    {
        "report_id": "8f0c",
        "type": "change_log",
        "scope": {"first_day": "2026-01-01"},
        "checks": {"pass": 5, "gap": 2},
        "positions": {"registry": 40},
        "languages": ["en", "ru"],
        "by": "irina",
        "issued_at": "2026-11-21T06:55:08.123456Z",
    }
]


@pytest.fixture
def audit(neighbours):
    neighbours.answers[("GET", "audit", "/v1/report-types")] = (200, TYPES, {})
    neighbours.answers[("GET", "audit", "/v1/reports")] = (200, ISSUED, {})
    yield neighbours
    neighbours.answers.clear()


async def page(client, lang="en"):
    answer = await client.get("/reports", params={"lang": lang})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestPage:
    async def test_tells_what_can_be_asked_for_and_what_was_found(self, browser, audit):
        told = await page(browser("irina"))
        assert '<option value="change_log">Change log</option>' in told
        assert "2 gaps" in told
        assert "registry/40" in told
        assert 'href="/reports/8f0c/ru.pdf"' in told
        assert "Журнал изменений" in await page(browser("irina"), "ru")

    async def test_issues_as_the_person_who_clicked(self, browser, audit):
        audit.answers[("POST", "audit", "/v1/reports")] = (201, {}, {"letopis-position": "audit/9"})
        body = {"type": "change_log", "first_day": "2026-01-01", "last_day": "", "decision_id": ""}
        answer = await browser("irina").post("/reports", data=body, headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
        asked = audit.requests[-1]
        assert json.loads(asked.content) == {"type": "change_log", "scope": {"first_day": "2026-01-01"}}
        assert asked.headers["authorization"] == "Bearer irina"

    async def test_says_what_audit_says(self, browser, audit):
        wrong = {"code": "report.scope_wrong", "title": "Give exactly what the report is about", "detail": "x"}
        audit.answers[("POST", "audit", "/v1/reports")] = (422, wrong, {})
        answer = await browser("irina").post("/reports", data={"type": "change_log"}, headers=OURS)
        assert answer.status_code == 422
        assert "Give exactly what the report is about" in answer.text

    async def test_hands_out_the_bytes_as_they_are(self, browser, audit):
        audit.answers[("GET", "audit", "/v1/reports/8f0c")] = (200, {"whole": True}, {})
        answer = await browser("irina").get("/reports/8f0c/ru.pdf")
        assert answer.json() == {"whole": True}
        assert answer.headers["content-disposition"] == 'attachment; filename="letopis-8f0c.ru.pdf"'
        assert parse_qs(urlsplit(str(audit.requests[-1].url)).query) == {"format": ["pdf"], "lang": ["ru"]}
