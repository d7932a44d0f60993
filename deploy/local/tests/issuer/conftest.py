"""The issuer as an application in this process, its state in a fresh data directory, its clock in our hand."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from letopis.common.clock import FixedClock
from letopis.common.identity.verifier import TokenVerifier
from letopis.local.issuer.app import create_app
from letopis.local.issuer.people import DEMO
from letopis.local.issuer.settings import IssuerSettings
from letopis.local.issuer.state import ensure
from letopis.local.topology import SERVICES

URL = "http://127.0.0.1:8406"
CALLBACK = "http://127.0.0.1:8400/auth/callback"
# The pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass
class Issuer:
    data_dir: Path
    http: httpx.AsyncClient
    clock: FixedClock

    @property
    def folder(self) -> Path:
        return self.data_dir / "state" / "issuer"

    def secret(self, name: str) -> str:
        return (self.data_dir / "secrets" / f"{name}.client_secret").read_text()

    def verifier(self, audience: str = "letopis") -> TokenVerifier:
        return TokenVerifier(URL, self.http, self.clock, audience)

    async def token(self, **form: str) -> httpx.Response:
        return await self.http.post("/token", data=form)

    async def demo(self, login: str) -> dict[str, Any]:
        answer = await self.token(
            grant_type="urn:letopis:params:oauth:grant-type:demo", client_id="letopis-cli", login=login
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def authorize(self, **changed: str | None) -> httpx.Response:
        asked = {
            "response_type": "code",
            "client_id": "letopis-console",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changed
        return await self.http.get("/authorize", params={key: one for key, one in asked.items() if one is not None})

    async def code(self, login: str = "anna", **form: str) -> dict[str, str]:
        """Log in at the page; the parameters of the address that the browser is sent back to."""
        page = await self.authorize()
        transaction = (
            page.text.partition("name=transaction value=&#x27;")[2]
            or page.text.partition("name=transaction value='")[2]
        )
        answer = await self.http.post(
            "/authorize", data={"transaction": transaction.partition("'")[0], "login": login} | form
        )
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(CALLBACK)
        return {key: one[0] for key, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def redeem(self, code: str, **changed: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": "letopis-console",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return await self.token(**(form | changed))

    async def read(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set((await self.http.get("/jwks")).json())
        return jwt.decode(token, keys, algorithms=["Ed25519"]).claims


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Issuer]]:
    """Starts an issuer of a profile."""
    clients: list[httpx.AsyncClient] = []

    def make(profile: str = "demo") -> Issuer:
        ensure(tmp_path, [one.name for one in SERVICES], DEMO if profile == "demo" else ())
        settings = IssuerSettings(profile=profile, data_dir=tmp_path, url=URL, console_url="http://127.0.0.1:8400")
        clock = FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        transport = httpx.ASGITransport(create_app(settings, clock))
        clients.append(httpx.AsyncClient(transport=transport, base_url=URL))
        return Issuer(tmp_path, clients[-1], clock)

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def issuer(start: Callable[..., Issuer]) -> Issuer:
    return start()
