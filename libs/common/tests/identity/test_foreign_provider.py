"""Our verifier and our client against a provider of somebody else's making, while it changes its keys."""

import asyncio
import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from letopis.common.clock import FixedClock
from letopis.common.identity.claims import TokenRefused
from letopis.common.identity.keys import REFRESH_AFTER, RETRY_AFTER
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.identity.verifier import TokenVerifier

_SPEC = importlib.util.spec_from_file_location("foreign_provider", Path(__file__).with_name("foreign_provider.py"))
assert _SPEC
assert _SPEC.loader
foreign_provider = sys.modules["foreign_provider"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(foreign_provider)

# The pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def foreign(monkeypatch):
    # Authlib wants https of everybody but tests; our own rule is https or loopback.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with foreign_provider.running() as provider:
        yield provider


@pytest.fixture
async def real_http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def logged_in(http, foreign, login="anna"):
    """An access token by authorization code and PKCE, as a page would get it."""
    asked = {
        "response_type": "code",
        "client_id": "page",
        "redirect_uri": foreign_provider.CALLBACK,
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "login": login,
    }
    sent = await http.get(f"{foreign.url}/authorize", params=asked)
    assert sent.status_code == 302, sent.text
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "client_id": "page",
        "code": code,
        "redirect_uri": foreign_provider.CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = await http.post(f"{foreign.url}/token", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


class TestForeign:
    async def test_a_person_who_logged_in_elsewhere_is_known_with_their_second_factor(self, foreign, real_http):
        """Found by discovery, judged by its published keys; when the factor was shown comes from amr and auth_time."""
        clock = FixedClock(datetime.now(UTC))
        claims = await TokenVerifier(foreign.url, real_http, clock).verify(await logged_in(real_http, foreign))
        assert (claims.login, claims.client_id, claims.issuer) == ("anna", "page", foreign.url)
        assert claims.mfa_at == claims.auth_time
        assert abs(claims.mfa_at - clock.at) < timedelta(minutes=5)

    async def test_a_service_gets_tokens_there_that_ours_take(self, foreign, real_http, tmp_path):
        (tmp_path / "secret").write_text("its secret")
        clock = FixedClock(datetime.now(UTC))
        tokens = ServiceTokens(foreign.url, "bank-app", tmp_path / "secret", real_http, clock)
        claims = await TokenVerifier(foreign.url, real_http, clock).verify(await tokens.get())
        # A foreign provider's claims make nobody one of our services.
        assert (claims.login, claims.service, claims.mfa_at) == ("bank-app", "", None)

    async def test_keys_change_in_the_middle_of_traffic_and_no_good_token_is_refused(self, foreign, real_http):
        clock = FixedClock(datetime.now(UTC))
        verifier = TokenVerifier(foreign.url, real_http, clock)
        tokens = [await logged_in(real_http, foreign)]
        for _ in range(4):
            foreign.rotate()
            clock.at += RETRY_AFTER
            tokens.append(await logged_in(real_http, foreign))
            # The last two keys are published: tokens of both are verified at once, by whoever asks.
            asked = foreign.asked
            seen = await asyncio.gather(*(verifier.verify(one) for one in tokens[-2:] * 10))
            assert {claims.login for claims in seen} == {"anna"}
            assert foreign.asked - asked <= 1
        clock.at += REFRESH_AFTER
        for retired in tokens[:-2]:
            with pytest.raises(TokenRefused, match="does not publish"):
                await verifier.verify(retired)

    async def test_its_tokens_are_worth_nothing_elsewhere(self, foreign, real_http):
        token = await logged_in(real_http, foreign)
        clock = FixedClock(datetime.now(UTC))
        with foreign_provider.running() as other:
            with pytest.raises(TokenRefused, match="does not publish"):
                await TokenVerifier(other.url, real_http, clock).verify(token)
            other.keys = foreign.keys
            with pytest.raises(TokenRefused, match="another issuer"):
                await TokenVerifier(other.url, real_http, FixedClock(clock.at)).verify(token)
        with pytest.raises(TokenRefused, match="not meant for"):
            await TokenVerifier(foreign.url, real_http, clock, audience="elsewhere").verify(token)
