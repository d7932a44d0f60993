"""Login of the console: authorization code with PKCE, refresh, logout."""

from datetime import timedelta

import pytest


class TestLogIn:
    async def test_a_person_comes_back_with_tokens_our_services_trust(self, issuer):
        back = await issuer.code("boris")
        assert (back["state"], back["iss"]) == ("s-1", "http://127.0.0.1:8406")
        answer = await issuer.redeem(back["code"])
        tokens = answer.json()
        claims = await issuer.verifier().verify(tokens["access_token"])
        assert (claims.login, claims.name, claims.person, claims.client_id) == (
            "boris",
            "Boris",
            "boris",
            "letopis-console",
        )
        assert claims.auth_time == issuer.clock.at
        assert claims.mfa_at is None
        identity = await issuer.read(tokens["id_token"])
        assert (identity["aud"], identity["nonce"], identity["sub"]) == ("letopis-console", "n-1", "boris")
        assert answer.headers["cache-control"] == "no-store"

    async def test_the_page_says_that_it_is_a_demonstration(self, issuer):
        page = await issuer.authorize()
        assert "Demonstration" in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]

    async def test_a_code_works_once_and_its_second_use_revokes_what_came_of_it(self, issuer):
        back = await issuer.code()
        tokens = (await issuer.redeem(back["code"])).json()
        assert (await issuer.redeem(back["code"])).json()["error"] == "invalid_grant"
        again = await issuer.token(
            grant_type="refresh_token", client_id="letopis-console", refresh_token=tokens["refresh_token"]
        )
        assert again.json()["error"] == "invalid_grant"

    async def test_a_code_lasts_a_minute(self, issuer):
        back = await issuer.code()
        issuer.clock.at += timedelta(seconds=61)
        assert (await issuer.redeem(back["code"])).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"code_verifier": "a" * 43}, "invalid_grant"),
            ({"code_verifier": "short"}, "invalid_request"),
            ({"redirect_uri": "http://127.0.0.1:8400/"}, "invalid_grant"),
            ({"client_id": "letopis-cli"}, "unauthorized_client"),
        ],
    )
    async def test_a_code_is_bound_to_its_verifier_address_and_client(self, issuer, changed, error):
        back = await issuer.code()
        assert (await issuer.redeem(back["code"], **changed)).json()["error"] == error

    @pytest.mark.parametrize(
        "changed", [{"redirect_uri": "http://evil.example/"}, {"client_id": "nobody"}, {"client_id": "letopis-cli"}]
    )
    async def test_nobody_is_sent_to_an_address_that_is_not_registered(self, issuer, changed):
        answer = await issuer.authorize(**changed)
        assert answer.status_code == 400
        assert "location" not in answer.headers

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"prompt": "none"}, "login_required"),
            ({"scope": "letopis"}, "invalid_scope"),
        ],
    )
    async def test_a_wrong_request_is_told_to_the_client(self, issuer, changed, error):
        answer = await issuer.authorize(**changed)
        assert answer.status_code == 303
        assert f"error={error}" in answer.headers["location"]
        assert "iss=http" in answer.headers["location"]

    async def test_a_repeated_parameter_is_refused(self, issuer):
        answer = await issuer.http.get("/authorize?client_id=letopis-console&client_id=letopis-cli")
        assert answer.json()["error"] == "invalid_request"

    @pytest.mark.parametrize(
        "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
    )
    async def test_a_page_elsewhere_cannot_log_somebody_in(self, issuer, headers):
        for path in ("/authorize", "/device"):
            answer = await issuer.http.post(path, data={"login": "olga"}, headers=headers)
            assert answer.status_code == 403

    async def test_a_name_of_somebody_elses_for_our_address_is_refused(self, issuer):
        answer = await issuer.http.get("/jwks", headers={"host": "evil.example"})
        assert answer.status_code == 400


class TestStay:
    async def test_a_refresh_token_is_exchanged_for_the_next(self, issuer):
        tokens = await issuer.demo("anna")
        answer = await issuer.token(
            grant_type="refresh_token", client_id="letopis-cli", refresh_token=tokens["refresh_token"]
        )
        assert answer.json()["refresh_token"] != tokens["refresh_token"]
        assert (await issuer.verifier().verify(answer.json()["access_token"])).login == "anna"

    async def test_a_stolen_refresh_token_ends_the_session_for_both(self, issuer):
        tokens = await issuer.demo("anna")
        form = {"grant_type": "refresh_token", "client_id": "letopis-cli"}
        following = (await issuer.token(**form, refresh_token=tokens["refresh_token"])).json()
        issuer.clock.at += timedelta(seconds=11)
        assert (await issuer.token(**form, refresh_token=tokens["refresh_token"])).status_code == 400
        assert (await issuer.token(**form, refresh_token=following["refresh_token"])).status_code == 400

    async def test_a_refresh_token_is_bound_to_its_client(self, issuer):
        tokens = await issuer.demo("anna")
        answer = await issuer.token(
            grant_type="refresh_token", client_id="letopis-console", refresh_token=tokens["refresh_token"]
        )
        assert answer.json()["error"] == "invalid_grant"

    async def test_a_session_ends_after_half_a_day(self, issuer):
        tokens = await issuer.demo("anna")
        issuer.clock.at += timedelta(hours=12, seconds=1)
        answer = await issuer.token(
            grant_type="refresh_token", client_id="letopis-cli", refresh_token=tokens["refresh_token"]
        )
        assert answer.json()["error"] == "invalid_grant"

    async def test_logging_out_revokes_and_goes_back_only_to_the_console(self, issuer):
        tokens = (await issuer.redeem((await issuer.code())["code"])).json()
        asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "http://evil.example/"}
        assert (await issuer.http.get("/end_session", params=asked)).status_code == 200
        asked["post_logout_redirect_uri"] = "http://127.0.0.1:8400/"
        answer = await issuer.http.get("/end_session", params=asked)
        assert answer.headers["location"] == "http://127.0.0.1:8400/"
        again = await issuer.token(
            grant_type="refresh_token", client_id="letopis-console", refresh_token=tokens["refresh_token"]
        )
        assert again.json()["error"] == "invalid_grant"
