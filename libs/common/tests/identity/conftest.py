"""A provider with keys we can change at will, served over HTTP inside the process."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from letopis.common.clock import FixedClock
from letopis.common.identity.verifier import TokenVerifier

ISSUER = "https://login.bank.example"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class _Any(jws.JWSRegistry):
    """Signs with whatever a test asks for, as a careless or hostile issuer would."""

    def __init__(self) -> None:
        super().__init__(strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        return self.algorithms["Ed25519" if name == "EdDSA" else name]

    def check_header(self, header: Any) -> None:
        """Nothing is checked."""


@dataclass
class Provider:
    keys: dict[str, Key] = field(default_factory=lambda: {"one": OKPKey.generate_key("Ed25519")})
    published: list[dict[str, Any]] | None = None
    issuer: str = ISSUER
    down: bool = False
    fetches: int = 0

    def jwks(self) -> dict[str, Any]:
        listed = [key.as_dict(private=False, kid=kid, use="sig") for kid, key in self.keys.items()]
        return {"keys": listed if self.published is None else self.published}

    def claims(self, **changed: Any) -> dict[str, Any]:
        at = int(NOW.timestamp())
        document = {"iss": ISSUER, "aud": "letopis", "sub": "anna", "iat": at, "exp": at + 900} | changed
        return {name: value for name, value in document.items() if value is not None}

    def sign(
        self, payload: bytes | dict[str, Any] | None = None, kid: str = "one", key: Key | None = None, **header: Any
    ) -> str:
        if payload is None or isinstance(payload, dict):
            payload = json.dumps(self.claims() if payload is None else payload).encode()
        full = {"alg": "Ed25519", "typ": "at+jwt", "kid": kid} | header
        full = {name: value for name, value in full.items() if value is not None}
        return jws.serialize_compact(full, payload, key or self.keys[kid], registry=_Any())

    def app(self) -> Starlette:
        def configuration(request: Request) -> Response:
            return JSONResponse(
                {"issuer": self.issuer, "jwks_uri": f"{ISSUER}/jwks", "token_endpoint": f"{ISSUER}/token"}
            )

        def jwks(request: Request) -> Response:
            self.fetches += 1
            return Response(status_code=503) if self.down else JSONResponse(self.jwks())

        return Starlette(routes=[Route("/.well-known/openid-configuration", configuration), Route("/jwks", jwks)])


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture
def ec_key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def http(provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(provider.app())) as client:
        yield client


@pytest.fixture
def verifier(http: httpx.AsyncClient, clock: FixedClock) -> TokenVerifier:
    return TokenVerifier(ISSUER, http, clock)


@pytest.fixture
def payload(provider: Provider) -> Callable[[str, str], bytes]:
    """The good payload with one piece of its text replaced."""

    def replaced(old: str, new: str) -> bytes:
        text = json.dumps(provider.claims())
        assert old in text
        return text.replace(old, new).encode()

    return replaced
