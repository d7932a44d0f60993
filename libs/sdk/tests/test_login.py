"""Logging in against the real issuer."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from letopis.sdk.client import Letopis
from letopis.sdk.login import NotLoggedIn, demo_login
from letopis.sdk.places import Places
from letopis.sdk.problems import Problem, Unavailable


def kept(client):
    return client.logins.folder / "logins.json"


def aged(client):
    """Make the kept tokens as good as expired."""
    document = json.loads(kept(client).read_text())
    for one in document["logins"].values():
        one["until"] = 0
    kept(client).write_text(json.dumps(document))
    kept(client).chmod(0o600)


class TestDemo:
    def test_a_name_is_enough_and_the_tokens_are_private(self, config, places):
        with Letopis(places=places) as client:
            assert demo_login(client.provider, client.logins, " Anna ") == "anna"
            assert client.login == "anna"
            assert client.provider.userinfo(client.token())["name"] == "Anna"
            assert stat.S_IMODE(kept(client).stat().st_mode) == 0o600
            assert stat.S_IMODE(config.stat().st_mode) == 0o700

    def test_several_people_at_once(self, config, places):
        with Letopis(places=places) as client:
            demo_login(client.provider, client.logins, "anna")
            with Letopis.demo("boris", places=places) as other:
                assert other.provider.userinfo(other.token())["sub"] == "boris"
            assert client.login == "anna"

    def test_somebody_unknown_is_told_who_is_known(self, config, places):
        with pytest.raises(Problem, match="known are anna"):
            Letopis.demo("mallory", places=places)

    def test_nobody(self, config, places):
        with Letopis(places=places) as client, pytest.raises(NotLoggedIn, match="letopis login"):
            client.token()


class TestRenew:
    def test_an_old_token_is_renewed_once_for_all_who_wait(self, config, places):
        with Letopis.demo("anna", places=places) as client:
            before = client.token()
            aged(client)
            with ThreadPoolExecutor(4) as pool:
                tokens = set(pool.map(lambda _: client.token(), range(8)))
            assert len(tokens) == 1
            assert before not in tokens

    def test_a_session_that_ended_asks_for_a_login(self, config, places):
        with Letopis.demo("anna", places=places) as client:
            aged(client)
            kept(client).write_text(kept(client).read_text().replace('"refresh_token": "', '"refresh_token": "x'))
            with pytest.raises(NotLoggedIn):
                client.token()

    def test_without_the_issuer_it_says_so(self, config, places):
        nobody = Places(urls={**places.urls, "issuer": places.of("registry")})
        with Letopis(places=nobody) as client, pytest.raises(Unavailable, match="nothing answers"):
            demo_login(client.provider, client.logins, "anna")


class TestDevice:
    def test_a_browser_lets_the_device_in(self, config, places):
        with Letopis(places=places) as client:
            device = client.provider.begin_device()

            def browser(_seconds):
                form = {"user_code": device.user_code, "login": "vera"}
                assert httpx.post(f"{places.of('issuer')}/device", data=form).status_code == 200

            answer = client.provider.wait_device(device, browser)
            assert client.provider.userinfo(answer["access_token"])["sub"] == "vera"

    def test_it_waits_as_long_as_it_is_told(self, config, places):
        with Letopis(places=places) as client:
            device, waited = client.provider.begin_device(), []

            def browser(seconds):
                waited.append(seconds)
                if len(waited) == 3:
                    form = {"user_code": device.user_code, "login": "vera"}
                    assert httpx.post(f"{places.of('issuer')}/device", data=form).status_code == 200

            client.provider.wait_device(device, browser)
            assert waited[0] == device.interval
            assert waited[2] > device.interval


class TestApplication:
    def test_an_application_acts_for_itself(self, config, places, issuer_data):
        secret = issuer_data / "secrets" / "bank-app.client_secret"
        with Letopis("bank-app", places=places, application_secret=secret) as client:
            assert client.login == "bank-app"
            assert client.provider.userinfo(client.token())["sub"] == "bank-app"
