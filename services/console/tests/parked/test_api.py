"""The page of parked facts: what the services tell, a request with a reason, and the second pair of eyes."""

import json
import re

import pytest

OURS = {"origin": "http://console.test"}
PARKED = {
    "parked_id": "enter_when_completed.registry.7",
    "reaction": "enter_when_completed",
    "ledger": "registry",
    "position": 7,
    "stream": "promotion:p1",
    "type": "registry.promotion.completed",
    "event_id": "01a1fe61-b076-7838-b6f1-02a9cd0e9130",
    "error": "ValueError at production/reactions.py:31 <script>alert(1)</script>",
    "attempts": 2,
    "parked_at": "2026-11-21T06:55:08.123456Z",
    "waiting": 3,
    "asked": None,
}
REQUEST = "/v1/parked/enter_when_completed.registry.7/requests"
AGREEMENT = "/v1/parked/enter_when_completed.registry.7/agreements"


@pytest.fixture
def parked(neighbours):
    def told(asked=None):
        found = {"parked": [PARKED | {"asked": asked}]}
        neighbours.answers[("GET", "registry", "/v1/parked")] = (200, found, {})
        neighbours.answers[("GET", "features", "/v1/parked")] = (200, {"parked": []}, {})
        neighbours.away.add("inference")

    told()
    yield told
    neighbours.away.discard("inference")
    neighbours.answers.clear()


async def page(client):
    answer = await client.get("/parked")
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestPage:
    async def test_tells_why_what_waits_and_who_does_not_answer(self, browser, parked):
        told = await page(browser("anna"))
        assert "registry/7" in told
        assert "&lt;script&gt;" in told
        assert "<script>alert" not in told
        assert "3 facts of the same stream" in told
        assert "Nothing is parked." in told, told
        assert "Inference does not tell: inference cannot be reached" in told
        assert "/agree" not in told

    async def test_shows_the_button_to_the_second_person_alone(self, browser, parked):
        parked({"way": "skip", "reason": "the model was withdrawn", "person": "anna"})
        assert "Agree to skip as boris" in await page(browser("boris"))
        own = await page(browser("anna"))
        assert "anna asks to skip it: the model was withdrawn" in own
        assert "/agree" not in own


class TestRelease:
    async def test_a_request_goes_to_its_service_as_the_person(self, browser, neighbours, parked):
        neighbours.answers[("POST", "registry", REQUEST)] = (201, {}, {"letopis-position": "registry/9"})
        form = {"way": "retry", "reason": "the model is registered now"}
        answer = await browser("anna").post(
            "/parked/registry/enter_when_completed.registry.7/ask", data=form, headers=OURS
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/parked")
        sent = neighbours.requests[-1]
        assert json.loads(sent.content) == form
        assert sent.headers["authorization"] == "Bearer anna"

    async def test_an_agreement_names_what_was_read(self, browser, neighbours, parked):
        neighbours.answers[("POST", "registry", AGREEMENT)] = (201, {}, {})
        answer = await browser("boris").post(
            "/parked/registry/enter_when_completed.registry.7/agree", data={"way": "skip"}, headers=OURS
        )
        assert answer.status_code == 303
        assert json.loads(neighbours.requests[-1].content) == {"way": "skip"}

    async def test_a_refusal_is_shown_with_its_reasons(self, browser, neighbours, parked):
        reason = {"rule": "four_eyes.same_person", "owner": "Operations", "message": "ask another", "remedy": "ask"}
        denied = {"code": "forbidden", "title": "Policy does not allow this", "detail": "no", "reasons": [reason]}
        neighbours.answers[("POST", "registry", AGREEMENT)] = (403, denied, {})
        answer = await browser("anna").post(
            "/parked/registry/enter_when_completed.registry.7/agree", data={"way": "skip"}, headers=OURS
        )
        assert answer.status_code == 403
        assert "four_eyes.same_person" in answer.text

    async def test_another_site_cannot_ask(self, browser, parked):
        answer = await browser("anna").post(
            "/parked/registry/enter_when_completed.registry.7/ask",
            data={"way": "skip", "reason": "0123456789"},
            headers={"origin": "http://elsewhere.test"},
        )
        assert answer.status_code == 403
