"""Services, the demonstration's grant, devices: who gets which token, and who gets none."""

from datetime import timedelta

import httpx
import pytest

from letopis.common.identity.claims import TokenRefused
from letopis.common.identity.keys import ProviderAway
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.private_files import SecretExposedError
from letopis.local.issuer.state import rotate

DEMO_GRANT = "urn:letopis:params:oauth:grant-type:demo"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class TestService:
    async def test_a_service_gets_a_token_that_names_it(self, issuer):
        tokens = ServiceTokens(
            "http://127.0.0.1:8406",
            "service:registry",
            issuer.data_dir / "secrets" / "registry.client_secret",
            issuer.http,
            issuer.clock,
        )
        first = await tokens.get()
        claims = await issuer.verifier().verify(first)
        assert (claims.login, claims.service, claims.person) == ("service:registry", "registry", "")
        issuer.clock.at += timedelta(minutes=13)
        assert await tokens.get() == first
        issuer.clock.at += timedelta(minutes=1, seconds=1)
        assert await tokens.get() != first

    async def test_without_a_provider_a_service_says_so(self, issuer):
        tokens = ServiceTokens(
            "http://127.0.0.1:8406", "service:registry", issuer.data_dir / "secrets" / "none", issuer.http, issuer.clock
        )
        with pytest.raises(ProviderAway, match="service:registry"):
            await tokens.get()

    async def test_requests_carry_the_token(self, issuer):
        tokens = ServiceTokens(
            "http://127.0.0.1:8406",
            "service:audit",
            issuer.data_dir / "secrets" / "audit.client_secret",
            issuer.http,
            issuer.clock,
        )
        answer = await issuer.http.get("/userinfo", auth=tokens)
        assert answer.json() == {"sub": "service:audit", "name": "audit", "service": "audit"}

    async def test_the_banks_application_is_no_service(self, issuer):
        answer = await issuer.token(
            grant_type="client_credentials", client_id="bank-app", client_secret=issuer.secret("bank-app")
        )
        claims = await issuer.verifier().verify(answer.json()["access_token"])
        assert (claims.login, claims.service) == ("bank-app", "")

    @pytest.mark.parametrize("secret", ["", "wrong", "é"])
    async def test_a_wrong_secret_gets_nothing(self, issuer, secret):
        answer = await issuer.token(grant_type="client_credentials", client_id="service:registry", client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    async def test_people_cannot_become_services(self, issuer):
        """A32: neither the command nor the console may ask for a service's token."""
        for client in ("letopis-cli", "letopis-console"):
            answer = await issuer.token(grant_type="client_credentials", client_id=client)
            assert answer.json()["error"] == "unauthorized_client"
        answer = await issuer.token(grant_type=DEMO_GRANT, client_id="letopis-cli", login="service:registry")
        assert answer.json()["error"] == "invalid_grant"

    async def test_secrets_that_others_can_read_are_refused(self, issuer):
        (issuer.data_dir / "secrets" / "audit.client_secret").chmod(0o644)
        with pytest.raises(SecretExposedError, match="chmod 600"):
            await issuer.token(
                grant_type="client_credentials", client_id="service:audit", client_secret=issuer.secret("audit")
            )


class TestDemo:
    async def test_anybody_may_be_anybody(self, issuer):
        claims = await issuer.verifier().verify((await issuer.demo("irina"))["access_token"])
        assert (claims.login, claims.groups) == ("irina", {"internal-audit"})

    async def test_somebody_unknown_is_told_who_is_known(self, issuer):
        answer = await issuer.token(grant_type=DEMO_GRANT, client_id="letopis-cli", login="mallory")
        assert "anna" in answer.json()["error_description"]

    async def test_only_the_demonstration_has_it(self, start):
        issuer = start("local")
        answer = await issuer.token(grant_type=DEMO_GRANT, client_id="letopis-cli", login="anna")
        assert answer.json()["error"] == "unsupported_grant_type"
        known = (await issuer.http.get("/.well-known/openid-configuration")).json()["grant_types_supported"]
        assert DEMO_GRANT not in known


class TestDevice:
    async def begin(self, issuer):
        answer = await issuer.http.post("/device_authorization", data={"client_id": "letopis-cli", "scope": "openid"})
        return answer.json()

    async def poll(self, issuer, device):
        return await issuer.token(grant_type=DEVICE_GRANT, client_id="letopis-cli", device_code=device["device_code"])

    async def test_a_person_lets_the_device_in(self, issuer):
        device = await self.begin(issuer)
        assert (await self.poll(issuer, device)).json()["error"] == "authorization_pending"
        page = await issuer.http.get(device["verification_uri_complete"])
        assert device["user_code"] in page.text
        typed = device["user_code"].replace("-", " ").lower()
        answer = await issuer.http.post("/device", data={"user_code": typed, "login": "vera"})
        assert "your device is logged in" in answer.text
        issuer.clock.at += timedelta(seconds=2)
        tokens = (await self.poll(issuer, device)).json()
        assert (await issuer.verifier().verify(tokens["access_token"])).login == "vera"
        assert (await self.poll(issuer, device)).json()["error"] == "invalid_grant"

    async def test_a_hasty_device_is_slowed_down(self, issuer):
        device = await self.begin(issuer)
        await self.poll(issuer, device)
        assert (await self.poll(issuer, device)).json()["error"] == "slow_down"
        issuer.clock.at += timedelta(seconds=7)
        assert (await self.poll(issuer, device)).json()["error"] == "authorization_pending"

    async def test_ten_minutes_are_the_end(self, issuer):
        device = await self.begin(issuer)
        issuer.clock.at += timedelta(minutes=10, seconds=1)
        assert (await self.poll(issuer, device)).json()["error"] == "expired_token"
        assert (await issuer.http.get(device["verification_uri_complete"])).status_code == 400

    async def test_codes_cannot_be_guessed_at_leisure(self, issuer):
        for _ in range(5):
            assert (await issuer.http.get("/device?user_code=BBBB-BBBB")).status_code == 400
        device = await self.begin(issuer)
        assert "Too many" in (await issuer.http.get(device["verification_uri_complete"])).text

    async def test_the_console_has_no_device(self, issuer):
        answer = await issuer.http.post("/device_authorization", data={"client_id": "letopis-console"})
        assert answer.json()["error"] == "unauthorized_client"


class TestKeys:
    async def test_after_a_rotation_old_and_new_tokens_are_good(self, issuer):
        verifier = issuer.verifier()
        old = (await issuer.demo("anna"))["access_token"]
        assert await verifier.verify(old)
        rotate(issuer.folder)
        issuer.clock.at += timedelta(seconds=6)
        new = (await issuer.demo("anna"))["access_token"]
        assert await verifier.verify(new)
        assert await issuer.verifier().verify(old)

    async def test_private_parts_stay_private(self, issuer):
        published = (await issuer.http.get("/jwks")).json()["keys"]
        assert published
        assert all("d" not in key for key in published)

    async def test_an_id_token_is_no_access_token(self, issuer):
        tokens = await issuer.demo("anna")
        with pytest.raises(TokenRefused, match="not an access token"):
            await issuer.verifier().verify(tokens["id_token"])

    async def test_a_token_for_us_is_not_for_others(self, issuer):
        token = (await issuer.demo("anna"))["access_token"]
        with pytest.raises(TokenRefused, match="not meant for"):
            await issuer.verifier("mlflow").verify(token)

    async def test_userinfo_wants_a_living_token(self, issuer):
        token = (await issuer.demo("anna"))["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        assert (await issuer.http.get("/userinfo", headers=headers)).json()["sub"] == "anna"
        issuer.clock.at += timedelta(minutes=16)
        assert (await issuer.http.get("/userinfo", headers=headers)).status_code == httpx.codes.UNAUTHORIZED
