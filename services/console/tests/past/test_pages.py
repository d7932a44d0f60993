"""The time machine, standing claims and completeness as pages: what audit tells, escaped, and when it is silent."""

import re

import pytest

ID = "01a1fe61-b076-7838-b6f1-02a9cd0e9130"
AT = "2026-03-01T12:00:00.000000Z"
FACT = {
    "place": "registry/7", "event_id": ID, "type": "registry.promotion.approved", "recorded_at": AT, "who": "boris",
    "purpose": "approval", "policy_revision": "r7", "fact": {"person": "boris", "comment": "<script>alert(1)</script>"},
}  # fmt: skip
MADE = {
    "application": "credit", "api_version": "v1", "model_id": "m", "version_id": "m.1", "consumer": "shop",
    "decision": "refuse", "score": 0.75, "inputs": "sealed",
}  # fmt: skip
HISTORY = {
    "decision": FACT | {"fact": MADE, "subject": "account_id:17"},
    "allowed_by": FACT | {"place": "decisions/1", "question": {"revision": "r7" * 20}},
    "consumer": {"login": "shop", "roles": {"consumer": {}}},
    "version": FACT, "model": {"production": {"version_id": "m.1", "since": AT, "approvers": ["boris"]}},
    "approvals": [FACT], "approved": True, "evidence": [], "deployment": [], "training_data": [], "monitors": [],
    "alerts_open_then": [], "since": [FACT | {"place": "registry/9", "who": "olga"}],
    "as_of": {"moment": AT, "positions": {"registry": 8}, "sealed": {"registry": 9}},
    "proofs": [{"place": "registry/7", "size": 9, "root": "", "hashes": []}],
}  # fmt: skip
DIGEST = "ab" * 32
FOUND = {"claim_id": "one_claim", "verdict": "violated", "checked": 3, "open": 0, "violations": 1}
EVALUATION = {"evaluation_id": "e", "at": AT, "sha256": DIGEST, "positions": {"registry": 9}, "claims": [FOUND]}
CLAIM = {
    "id": "one_claim", "text": {"en": "Nobody does <b>it</b>"}, "stated": "audit/5", "verdict": "violated",
    "checked": 3, "open": 0, "violations": 1, "first": ["registry/3"],
}  # fmt: skip
DRILL = {
    "drill_id": "d", "state": "revealed", "commitment": "c" * 64, "committed_by": "irina", "committed_at": AT,
    "title": "Spring drill", "caught": 1, "missed": 1,
    "catches": [
        {"what": "reads a canary", "caught": True, "place": "access/3", "event_id": ID, "seconds": 0.4},
        {"what": "goes unseen", "caught": False, "place": "", "event_id": "", "seconds": None},
    ],
}  # fmt: skip
COUNT = {"owner": None, "copied": 9, "sealed": 8, "halted": True}
BEAT = {
    "position": 4,
    "at": AT,
    "complete": False,
    "missing": ["registry: its owner does not answer"],
    "ledgers": {"registry": COUNT},
}
VOICE = {
    "kind": "model", "name": "credit", "silent": True, "within_seconds": 86400, "expected_by": "", "reason": "",
    "last_at": AT, "since": AT, "times": 1,
}  # fmt: skip


@pytest.fixture
def audit(neighbours):
    """What audit answers, by path; what is not named is away."""

    def tell(**answers):
        for path, body in answers.items():
            neighbours.answers[("GET", "audit", path.replace("__", "/"))] = (200, body, {})

    yield tell
    neighbours.answers.clear()
    neighbours.away.discard("audit")


async def page(client, path):
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert "<script>alert" not in answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestHistory:
    async def test_shows_what_was_known_and_what_came_since(self, browser, audit, neighbours):
        audit(**{f"/v1/decisions/{ID}/history": HISTORY})
        told = await page(browser("irina"), f"/decisions/{ID}/history")
        assert "What was known at 2026-03-01 12:00:00 UTC" in told
        assert "in production: m.1 since 2026-03-01 12:00:00 UTC, by boris" in told
        assert (
            told.index("Who approved") < told.index("registry/7") < told.index("Since then") < told.index("registry/9")
        )
        assert told.count("not sealed yet") == 1
        assert neighbours.requests[-1].headers["authorization"] == "Bearer irina"

    async def test_asks_for_the_purpose_first(self, browser, audit):
        client = browser("irina", purpose="")
        client.cookies.delete("letopis_purpose")
        answer = await client.get(f"/decisions/{ID}/history")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/purpose?next=")


PRODUCTION = {"version_id": "m.1", "since": AT, "approvers": ["boris"]}
MODEL = {"model_id": "m", "name": "Credit", "owner": "anna", "use_case": None, "production": PRODUCTION}
GIVEN = {"auditor": {"by": "olga", "place": "registry/3"}}
LOGIN = {"login": "anna", "person": "anna", "roles": GIVEN, "groups": {}, "until": None, "ended": True}
COLUMNS = [{"source": "clients", "column": "income", "shown": "bucket"}]
READ = FACT | {"fact": {"person": "anna", "purpose": "model"}, "columns": COLUMNS, "grants": [], "ended": None}


class TestAsOf:
    @pytest.mark.parametrize(
        ("question", "answer", "seen"),
        [
            ("models", {"models": [MODEL]}, "m.1"),
            ("rights", {"logins": [LOGIN]}, "olga, registry/3"),
            ("reads", {"reads": [READ]}, "clients: bucket"),
        ],
    )
    async def test_shows_what_audit_answers(self, browser, audit, neighbours, question, answer, seen):
        audit(**{f"/v1/as-of/{question}": answer | {"as_of": HISTORY["as_of"]}})
        told = await page(browser("irina"), f"/as-of?question={question}&at=2026-03-01T12:00&about=income")
        assert seen in told
        query = neighbours.requests[-1].url.params
        assert query.get("at", query.get("until")) == "2026-03-01T12:00:00+00:00"

    async def test_without_a_moment_nothing_is_asked(self, browser, audit, neighbours):
        before = len(neighbours.requests)
        assert "Who saw this column, and why" in await page(browser("irina"), "/as-of")
        assert len(neighbours.requests) == before


class TestClaims:
    async def test_shows_verdicts_and_what_drills_caught(self, browser, audit):
        audit(**{
            "/v1/claims/evaluations": [EVALUATION],
            f"/v1/claims/evaluations/{DIGEST}": {"claims": [CLAIM], "as_of": {}},
            "/v1/drills": [DRILL],
        })  # fmt: skip
        told = await page(browser("irina"), "/claims")
        assert "Nobody does &lt;b&gt;it&lt;/b&gt;" in told
        assert "violated" in told
        assert "registry/3" in told
        assert "after 0.4 s" in told
        assert "missed" in told

    async def test_says_when_audit_is_away(self, browser, audit, neighbours):
        neighbours.away.add("audit")
        assert "Audit does not tell: audit cannot be reached" in await page(browser("irina"), "/claims")


class TestCompleteness:
    async def test_shows_the_last_heartbeat_and_who_is_silent(self, browser, audit):
        audit(**{"/v1/heartbeats": [BEAT], "/v1/voices": [VOICE]})
        told = await page(browser("irina"), "/completeness")
        assert "incomplete" in told
        assert "does not answer" in told
        assert "stands still" in told
        assert "model credit" in told
        assert "86,400 s" in told

    async def test_says_when_audit_is_away(self, browser, audit, neighbours):
        neighbours.away.add("audit")
        assert "Audit does not tell: audit cannot be reached" in await page(browser("irina"), "/completeness")
