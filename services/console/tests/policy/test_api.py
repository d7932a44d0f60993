"""The pages of policy: the form, the draft with its rehearsal, and the button that only a second person sees."""

import json
import re

import pytest

OURS = {"origin": "http://console.test"}
CAP = "settings/registry/session/cap/cores"
POLICY = {
    "revision": "a" * 64,
    "base": "a" * 64,
    "release_id": "",
    "changes": {},
    "settings": [
        {
            "path": CAP,
            "value": 64,
            "written": 64,
            "label": "Most cores <b>of</b> one session",
            "schema": {"type": "integer"},
            "tighter": "lower",
        }
    ],
    "rules": [
        {
            "path": "rules/registry/session/limit.role/mode",
            "service": "registry",
            "room": "session",
            "rule": "limit.role",
            "mode": "prevent",
            "written": "prevent",
            "owner": "Platform",
            "message": "smaller",
            "remedy": "ask",
            "fixed": False,
        }
    ],
    "actions": [],
}
RELEASE = {
    "release_id": "r1",
    "title": "Smaller sessions",
    "reason": "the machines are full",
    "state": "drafted",
    "base": "a" * 64,
    "follows": "a" * 64,
    "after": "",
    "revision": "b" * 64,
    "changes": {CAP: 16},
    "author": "anna",
    "drafted_at": "2026-11-21T06:55:08.123456Z",
    "rehearsal": "",
    "decisions": 0,
    "flipped": 0,
    "stretches": [],
    "away": [],
    "rehearsed_by": "",
    "ended_by": "",
    "ended_at": None,
}
FLIP = {
    "ledger": "registry",
    "position": 7,
    "action": "registry.session.open",
    "login": "oleg",
    "person": "oleg",
    "object": {"type": "session", "id": "oleg"},
    "before": {"allow": True, "deny": []},
    "after": {"allow": False, "deny": ["limit.role"]},
}
REHEARSAL = {
    "decisions": 9,
    "flipped": 1,
    "changes": [{"action": "registry.session.open", "rule": "limit.role", "change": "newly denied", "decisions": 1}],
    "flips": [FLIP],
}


@pytest.fixture
def registry(neighbours):
    def told(**other):
        known = RELEASE | other
        answers = neighbours.answers
        answers[("GET", "registry", "/v1/policy")] = (200, POLICY, {})
        answers[("GET", "registry", "/v1/policy-releases")] = (200, [known], {})
        answers[("GET", "registry", "/v1/policy-releases/r1")] = (200, known, {})
        answers[("GET", "registry", "/v1/policy-releases/r1/rehearsal")] = (200, REHEARSAL, {})
        receipt = {"position": "registry/9", "facts": [{"data": {"release_id": "r1"}}]}
        for path in ("", "/r1/rehearsals", "/r1/publication"):
            answers[("POST", "registry", f"/v1/policy-releases{path}")] = (201, receipt, {})

    told()
    yield told
    neighbours.answers.clear()


async def page(client, path):
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestForm:
    async def test_shows_what_may_be_changed_and_what_was(self, browser, registry):
        told = await page(browser("anna"), "/policies")
        assert f'name="{CAP}" value="64"' in told
        assert "&lt;b&gt;of" in told
        assert '<a href="/policies/r1">Smaller sessions</a>' in told
        assert "<option selected>prevent</option>" in told

    async def test_drafts_what_differs(self, browser, registry, neighbours):
        form = {"title": "Smaller sessions", "reason": "the machines are full", CAP: "16"}
        answer = await browser("anna").post("/policies", data=form, headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (303, "/policies/r1")
        sent = next(one for one in reversed(neighbours.requests) if one.method == "POST")
        assert json.loads(sent.content)["changes"] == {CAP: 16}

    async def test_asks_for_a_change_where_there_is_none(self, browser, registry):
        form = {"title": "Smaller sessions", "reason": "the machines are full", CAP: "64"}
        assert (await browser("anna").post("/policies", data=form, headers=OURS)).status_code == 422


class TestRelease:
    async def test_cannot_be_published_before_its_rehearsal_is_seen(self, browser, registry):
        told = await page(browser("boris"), "/policies/r1")
        assert "cannot be published before" in told
        assert "Publish as" not in told

    async def test_shows_whom_it_concerns_and_the_button_to_a_second_person_alone(self, browser, registry):
        registry(rehearsal="c" * 64, rehearsed_by="anna", decisions=9, flipped=1, away=["audit"])
        told = await page(browser("boris"), "/policies/r1")
        assert "9 recorded decisions were asked again; 1 would come out otherwise" in told
        assert "Nothing was told by audit" in told
        assert "oleg" in told
        assert "limit.role" in told
        assert "Publish as boris" in told
        assert "Publish as" not in await page(browser("anna"), "/policies/r1")

    async def test_is_published_with_the_number_of_what_was_seen(self, browser, registry, neighbours):
        answer = await browser("boris").post("/policies/r1/publish", data={"rehearsal": "c" * 64}, headers=OURS)
        assert answer.status_code == 303
        sent = next(one for one in reversed(neighbours.requests) if one.method == "POST")
        assert json.loads(sent.content) == {"rehearsal": "c" * 64}
