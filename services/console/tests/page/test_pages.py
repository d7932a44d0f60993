"""Every page of the real application over PostgreSQL and the policy engine."""

import re

import pytest
from console_history import FIRST, MODEL, SECOND

PAGES = [
    "/",
    f"/models/{MODEL}",
    f"/versions/{FIRST}",
    f"/versions/{SECOND}",
    "/promotions",
    "/promotions/p1",
    "/promotions/p4",
    "/decisions",
    "/chronicle",
    "/purpose",
]
OURS = {"origin": "http://console.test"}


async def fetched(client, path):
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestEveryPage:
    @pytest.mark.parametrize("path", PAGES)
    async def test_is_small_and_asks_nobody_else_for_anything(self, browser, path):
        answer = await browser("irina").get(path)
        assert answer.status_code == 200, answer.text
        assert len(answer.content) < 200_000
        for tag, attributes in re.findall(r"<(link|script|img|iframe|form)\b([^>]*)", answer.text):
            for address in re.findall(r'(?:src|href|action)="([^"]*)"', attributes):
                assert address.startswith("/"), (tag, address)

    @pytest.mark.parametrize("path", PAGES)
    async def test_keeps_style_and_script_out_of_itself(self, browser, path):
        page = await fetched(browser("irina"), path)
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)

    @pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/login/x", "/static/letopis.css", "/healthz"])
    async def test_tells_the_browser_to_run_only_what_is_ours(self, browser, path):
        answer = await browser("irina").get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"

    @pytest.mark.parametrize("path", PAGES)
    async def test_is_not_for_somebody_without_a_role(self, browser, path):
        answer = await browser("nobody").get(path)
        assert answer.status_code == 403
        assert "role.not_granted" in answer.text

    async def test_kept_by_nobody_but_style_and_script(self, browser):
        person = browser("irina")
        assert (await person.get("/")).headers["cache-control"] == "no-store"
        assert (await person.get("/static/sign.js")).headers["cache-control"] == "max-age=300"

    @pytest.mark.parametrize("name", ["letopis.css", "sign.js", "prove.js", "icon.svg"])
    async def test_has_its_files(self, stranger, name):
        assert (await stranger.get(f"/static/{name}")).status_code == 200

    async def test_gives_out_no_other_file(self, stranger):
        for name in ("..%2fapp.py", "data.json", "letopis.css.bak"):
            assert (await stranger.get(f"/static/{name}")).status_code == 404


class TestWall:
    async def test_tells_what_is_in_production_what_waits_and_what_alarms(self, browser):
        page = await fetched(browser("anna"), "/")
        assert 'In production</dt><dd><a href="/versions/cards-default.1">' in page
        assert "1 to decide" in page
        assert "status code 1: 28 -&gt; 4,000 rows" in page
        assert "age PSI 0.4" not in page

    async def test_tells_of_an_emergency_until_it_is_reviewed(self, browser):
        for path in ("/", f"/models/{MODEL}"):
            page = await fetched(browser("anna"), path)
            assert "boris and pavel" in page
            assert "not reviewed, ordinary promotions wait" in page

    async def test_counts_what_is_sealed(self, browser, records):
        page = await fetched(browser("anna"), "/")
        assert f'<span class="figure">{len(records)}</span><span>facts sealed in 8 signed trees' in page

    async def test_stands_while_audit_is_away(self, browser, neighbours):
        neighbours.away.add("audit")
        try:
            page = await fetched(browser("anna"), "/")
        finally:
            neighbours.away.clear()
        assert '<span class="figure">?</span>' in page


class TestModel:
    async def test_shows_versions_alerts_and_what_answers(self, browser):
        page = await fetched(browser("anna"), f"/models/{MODEL}")
        assert "cards v1" in page
        assert "could not be loaded: the digest differs" in page
        assert "vera: fixed" in page
        assert "1 of 1" in page

    @pytest.mark.parametrize("path", ["/models/none", "/versions/none", "/promotions/none", "/facts/none"])
    async def test_that_is_not_there_is_said_on_a_page(self, browser, path):
        answer = await browser("anna").get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert "none" in answer.text

    async def test_names_are_escaped(self, browser):
        answer = await browser("anna").get("/models/%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in answer.text
        page = await fetched(browser("anna"), "/chronicle?text=%22%3E%3Cscript%3Ealert(1)")
        assert "<script>alert" not in page


class TestPromotion:
    async def test_shows_exactly_what_is_signed(self, browser):
        page = await fetched(browser("boris"), "/promotions/p4")
        for expected in ("d" * 64, "e" * 64, "7f3a", 'data-person="boris"', 'data-keys="00aa"', "Approve as boris"):
            assert expected in page

    async def test_that_is_decided_cannot_be_signed(self, browser):
        page = await fetched(browser("boris"), "/promotions/p1")
        assert "Sign here" not in page
        assert "read and agreed" in page

    async def test_the_verdict_goes_to_the_registry_as_the_person(self, browser, neighbours):
        where = ("POST", "registry", "/v1/promotions/p4/approvals")
        neighbours.answers[where] = (201, {"position": "registry/99"}, {"letopis-position": "registry/99"})
        body = {"verdict": "approve", "signature": "AA=="}
        headers = {**OURS, "idempotency-key": "k1", "accept": "application/json"}
        answer = await browser("boris").post("/promotions/p4/approve", json=body, headers=headers)
        neighbours.answers.clear()
        sent = neighbours.requests[-1]
        assert (answer.status_code, answer.json()) == (201, {"position": "registry/99"})
        assert sent.headers["authorization"] == "Bearer boris"
        assert sent.headers["idempotency-key"] == "k1"
        assert sent.content == b'{"verdict":"approve","signature":"AA=="}'
        assert "letopis_seen=registry/99" in answer.headers["set-cookie"]

    async def test_the_next_page_waits_for_what_was_just_done(self, browser, records):
        last = max(one.position for one in records if one.ledger == "registry")
        person = browser("boris")
        person.cookies.set("letopis_seen", f"registry/{last}")
        assert (await person.get("/promotions/p4")).status_code == 200
        person.cookies.set("letopis_seen", "registry/1; nonsense")
        assert (await person.get("/promotions/p4")).status_code == 200

    async def test_the_registrys_refusal_is_passed_on(self, browser, neighbours):
        problem = {"code": "four_eyes.self_approval", "title": "no", "reasons": [{"rule": "four_eyes.self_approval"}]}
        neighbours.answers["POST", "registry", "/v1/promotions/p4/approvals"] = (403, problem, {})
        headers = {**OURS, "accept": "application/json"}
        answer = await browser("anna").post("/promotions/p4/approve", json={}, headers=headers)
        neighbours.answers.clear()
        assert (answer.status_code, answer.json()) == (403, problem)

    async def test_a_key_is_enrolled_under_the_persons_own_login(self, browser, neighbours):
        neighbours.answers["POST", "registry", "/v1/principals/boris/keys"] = (201, {}, {})
        answer = await browser("boris").post("/keys", json={"public_key": "AA=="}, headers=OURS)
        neighbours.answers.clear()
        assert answer.status_code == 201
