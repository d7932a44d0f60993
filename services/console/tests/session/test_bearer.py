"""The session cookie is the person's token, for pages and for forms of our own page only."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from letopis.common.testing.routes import assert_guarded

OURS = {"origin": "http://console.test"}
ISSUER = ("GET", "issuer", "/.well-known/openid-configuration")
FOUND = {"authorization_endpoint": "http://issuer.test/authorize", "token_endpoint": "http://issuer.test/token"}
PUBLIC = {
    "GET /login",
    "GET /auth/callback",
    "POST /auth/logout",
    "GET /auth/out",
    "GET /static/{name}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}


@pytest.fixture
def issuer(neighbours):
    """The provider's endpoints; answers of its token endpoint are set by the test."""
    neighbours.answers[ISSUER] = (200, FOUND, {})

    def tokens(status, **answer):
        neighbours.answers["POST", "issuer", "/token"] = (status, answer, {})
        return neighbours.requests

    yield tokens
    neighbours.answers.clear()


async def test_strangers_enter_no_page(app):
    await assert_guarded(app, public=PUBLIC)


class TestStranger:
    async def test_is_sent_to_the_login_and_will_return(self, stranger):
        answer = await stranger.get("/models/a?b=c&d")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Fmodels%2Fa%3Fb%3Dc%26d"

    async def test_without_a_browser_gets_a_problem(self, stranger):
        answer = await stranger.get("/", headers={"accept": "application/json"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_under_another_name_of_the_host_is_sent_to_the_one_with_the_cookies(self, stranger):
        answer = await stranger.get("/promotions?x=1", headers={"host": "localhost:8400"})
        assert (answer.status_code, answer.headers["location"]) == (303, "http://console.test/promotions?x=1")

    @pytest.mark.parametrize("cookie", ["letopis_session=", "letopis_session=AAAA", "letopis_session=\xe9; ;=;a", ";"])
    async def test_with_a_false_cookie_is_a_stranger(self, stranger, cookie):
        answer = await stranger.get("/", headers={"cookie": cookie.encode("latin-1")})
        assert answer.headers["location"].startswith("/login")


class TestLogin:
    async def test_goes_by_code_and_pkce_and_returns_to_the_page(self, app, stranger, issuer, neighbours):
        seen = issuer(200, access_token="irina", refresh_token="r", expires_in=300)
        begun = await stranger.get("/login?next=/promotions")
        where = urlsplit(begun.headers["location"])
        asked = {name: value[0] for name, value in parse_qs(where.query).items()}
        assert f"{where.scheme}://{where.netloc}{where.path}" == FOUND["authorization_endpoint"]
        back = {"code": "c", "state": asked["state"], "iss": "http://issuer.test"}
        entered = await stranger.get("/auth/callback", params=back)
        assert (entered.status_code, entered.headers["location"]) == (303, "/promotions")
        sent = parse_qs(seen[-1].content.decode())
        assert sent["grant_type"] == ["authorization_code"]
        assert sent["redirect_uri"] == ["http://console.test/auth/callback"]
        page = await stranger.get("/promotions")
        assert page.status_code == 200
        assert "irina" in page.text

    async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self, stranger, issuer):
        begun = await stranger.get("/login")
        (cookie,) = begun.headers.get_list("set-cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    @pytest.mark.parametrize(
        "change", [{"state": "other"}, {"code": ""}, {"error": "access_denied"}, {"iss": "http://evil.test"}]
    )
    async def test_that_was_not_begun_here_is_refused(self, stranger, issuer, change):
        issuer(200, access_token="irina")
        begun = await stranger.get("/login")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        answer = await stranger.get("/auth/callback", params={"code": "c", "state": state} | change)
        assert answer.status_code == 401
        assert "Log in again" in answer.text
        assert "letopis_session" not in answer.headers.get("set-cookie", "")

    async def test_of_another_browser_is_refused(self, stranger, issuer):
        issuer(200, access_token="irina")
        begun = await stranger.get("/login")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        stranger.cookies.clear()
        answer = await stranger.get("/auth/callback", params={"code": "c", "state": state})
        assert answer.status_code == 401

    async def test_while_the_provider_is_away_says_so(self, stranger, neighbours, app):
        app.state.resources.issuer._found = None
        neighbours.away.add("issuer")
        try:
            answer = await stranger.get("/login")
        finally:
            neighbours.away.clear()
        assert answer.status_code == 503
        assert "identity provider cannot be reached" in answer.text


class TestRenewal:
    def near_its_end(self, app, stranger):
        seal, now = app.state.resources.seal, datetime.now(UTC)
        kept = {"access": "irina", "refresh": "old", "until": now.timestamp() + 5}
        stranger.cookies.set("letopis_session", seal.close("letopis_session", kept, now + timedelta(hours=1)))

    async def test_happens_unseen_and_the_new_tokens_are_kept(self, app, stranger, issuer):
        seen = issuer(200, access_token="boris", refresh_token="new", expires_in=300)
        self.near_its_end(app, stranger)
        answer = await stranger.get("/promotions")
        assert answer.status_code == 200
        assert parse_qs(seen[-1].content.decode())["refresh_token"] == ["old"]
        sealed = answer.cookies["letopis_session"]
        kept = app.state.resources.seal.open("letopis_session", sealed, datetime.now(UTC))
        assert (kept["access"], kept["refresh"]) == ("boris", "new")

    async def test_that_the_provider_refuses_ends_in_a_login(self, app, stranger, issuer):
        issuer(400, error="invalid_grant")
        self.near_its_end(app, stranger)
        answer = await stranger.get("/promotions")
        assert answer.headers["location"].startswith("/login")

    async def test_that_the_provider_cannot_give_keeps_the_session(self, app, stranger, issuer, neighbours):
        issuer(200)
        self.near_its_end(app, stranger)
        neighbours.away.add("issuer")
        try:
            answer = await stranger.get("/promotions")
        finally:
            neighbours.away.clear()
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers


class TestForm:
    @pytest.mark.parametrize(
        "origin", [None, "null", "http://evil.test", "http://console.test:81", "https://console.test"]
    )
    @pytest.mark.parametrize("path", ["/keys", "/promotions/p4/approve", "/purpose", "/auth/logout"])
    async def test_of_another_page_is_refused(self, browser, neighbours, path, origin):
        asked = len(neighbours.requests)
        headers = {"origin": origin} if origin else {}
        answer = await browser("boris").post(path, json={}, headers=headers)
        assert answer.status_code == 403
        assert "did not come from our own page" in answer.text
        assert len(neighbours.requests) == asked

    async def test_logs_out(self, browser):
        answer = await browser("boris").post("/auth/logout", headers=OURS)
        assert answer.status_code == 303
        forgotten = [one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" in one]
        assert {one.partition("=")[0] for one in forgotten} >= {"letopis_session", "letopis_purpose"}


class TestPurpose:
    async def test_is_stated_once_and_goes_with_every_request(self, browser, neighbours):
        person = browser("irina", purpose="")
        sent = await person.get("/decisions?decision=refuse")
        assert sent.headers["location"] == "/purpose?next=%2Fdecisions%3Fdecision%3Drefuse"
        stated = await person.post(
            "/purpose", data={"purpose": "audit", "next": "/decisions?decision=refuse"}, headers=OURS
        )
        assert stated.headers["location"] == "/decisions?decision=refuse"
        assert (await person.get("/decisions?decision=refuse")).status_code == 200
        assert neighbours.requests[-1].headers["letopis-purpose"] == "audit"
        assert neighbours.requests[-1].headers["authorization"] == "Bearer irina"

    @pytest.mark.parametrize("purpose", ["", "a b", "x" * 100, "<script>", "a\r\nb"])
    async def test_is_one_word(self, browser, purpose):
        answer = await browser("irina").post("/purpose", data={"purpose": purpose}, headers=OURS)
        assert answer.status_code == 422

    async def test_returns_only_to_our_own_page(self, browser):
        form = {"purpose": "audit", "next": "//evil.test"}
        answer = await browser("irina").post("/purpose", data=form, headers=OURS)
        assert answer.headers["location"] == "/"

    async def test_of_a_false_cookie_is_none(self, browser, neighbours):
        person = browser("irina", purpose="")
        person.cookies.set("letopis_purpose", "%0d%0aX: y")
        answer = await person.get("/decisions")
        assert answer.headers["location"].startswith("/purpose")
