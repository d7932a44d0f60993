"""A second factor: published codes, each good once, and the time it was shown in every token that follows."""

from base64 import b32decode, b32encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from letopis.common.identity.claims import Claims
from letopis.local.issuer.state import invite
from letopis.local.issuer.totp import SecondFactors, code, counter_of

PASSWORD = "correct horse battery"
# RFC 4226, appendix D: the key and its first ten codes; RFC 6238, appendix B: eight digits by the clock.
KEY = b"12345678901234567890"
HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
TOTP = {59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037"}


class TestCodes:
    def test_are_those_of_rfc_4226(self):
        assert tuple(code(KEY, counter) for counter in range(10)) == HOTP

    @pytest.mark.parametrize(("seconds", "expected"), TOTP.items())
    def test_are_those_of_rfc_6238(self, seconds, expected):
        assert code(KEY, counter_of(datetime.fromtimestamp(seconds, UTC)), 8) == expected

    def test_are_good_once_and_not_after_a_later_one(self):
        factors, now, key = SecondFactors(), datetime(2026, 11, 21, tzinfo=UTC), b32encode(KEY).decode()
        early, late = code(KEY, counter_of(now) - 1), code(KEY, counter_of(now))
        assert factors.passed("anna", key, late, now)
        assert not factors.passed("anna", key, late, now)
        assert not factors.passed("anna", key, early, now)
        assert not factors.passed("boris", key, code(KEY, counter_of(now) - 2), now)
        assert not factors.passed("boris", "", late, now)
        assert factors.passed("boris", key, late, now)


async def page_of(issuer) -> str:
    text = (await issuer.authorize(acr_values="mfa")).text
    return text.partition("name=transaction value='")[2].partition("'")[0]


class TestShow:
    async def test_a_password_alone_is_not_enough_where_a_factor_is_asked_for(self, start):
        issuer = start("local")
        invitation = invite(issuer.data_dir, "olga", "Olga", issuer.clock.at)
        told = await issuer.http.post("/enrol", data={"code": invitation, "password": PASSWORD, "again": PASSWORD})
        key = b32decode(told.text.partition("secret=")[2].partition("&")[0])
        form = {"transaction": await page_of(issuer), "login": "olga", "password": PASSWORD}
        assert "Code of your authenticator" in (await issuer.authorize(acr_values="mfa")).text
        for typed in ("", "000000x", code(key, 5)):
            answer = await issuer.http.post("/authorize", data=form | {"factor": typed})
            assert answer.status_code == 401, typed
        typed = code(key, counter_of(issuer.clock.at))
        answer = await issuer.http.post("/authorize", data=form | {"factor": f"{typed[:3]} {typed[3:]}"})
        back = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        first = (await issuer.redeem(back)).json()
        assert (await issuer.verifier().verify(first["access_token"])).mfa_at == issuer.clock.at

    async def test_a_refreshed_token_says_when_it_was_shown_and_not_now(self, issuer):
        shown = issuer.clock.at
        answer = await issuer.token(
            grant_type="urn:letopis:params:oauth:grant-type:demo",
            client_id="letopis-cli",
            login="anna",
            acr_values="mfa",
        )
        issuer.clock.at += timedelta(minutes=10)
        later = await issuer.token(
            grant_type="refresh_token", client_id="letopis-cli", refresh_token=answer.json()["refresh_token"]
        )
        claims: Claims = await issuer.verifier().verify(later.json()["access_token"])
        assert claims.mfa_at == shown
        assert claims.issued_at == issuer.clock.at

    async def test_nobody_shows_what_nobody_asked_for(self, issuer):
        assert (await issuer.verifier().verify((await issuer.demo("anna"))["access_token"])).mfa_at is None
