"""What the console asks of the identity provider: a code for tokens, and fresh tokens later."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import httpx

from letopis.common.errors import Unauthenticated, Unavailable

# Only for an answer that does not say how long its token lives.
SHORTEST = 60.0


class LoginNotAccepted(Unauthenticated):
    """The provider gave no tokens."""

    code = "session.not_accepted"
    title = "The identity provider did not accept the login; log in again"


class IssuerAway(Unavailable):
    """Nobody can log in, and tokens near their end cannot be renewed."""

    code = "session.issuer_away"
    title = "The identity provider cannot be reached; try again in a moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the session cookie keeps; `until` is the access token's end in seconds since 1970."""

    access: str
    refresh: str
    until: float

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Tokens":
        """The tokens that `kept` told."""
        return cls(access=str(kept["access"]), refresh=str(kept["refresh"]), until=float(kept["until"]))

    @classmethod
    def answered(cls, answer: Mapping[str, Any], now: datetime, refresh: str = "") -> "Tokens":
        """The tokens of the provider's answer; `refresh` stays where the answer brings no new one."""
        return cls(
            access=str(answer["access_token"]),
            refresh=str(answer.get("refresh_token", refresh)),
            until=now.timestamp() + float(answer.get("expires_in", SHORTEST)),
        )

    def kept(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Issuer:
    """An OIDC provider found by discovery, asked over loopback or the bank's network."""

    http: httpx.AsyncClient
    url: str
    client_id: str
    redirect: str
    _found: dict[str, Any] | None = None

    async def endpoint(self, name: str) -> str:
        """An endpoint from the discovery document."""
        if self._found is None:
            self._found = await self._ask("GET", f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        return str(self._found[name])

    async def exchange(self, code: str, verifier: str, now: datetime) -> Tokens:
        """Tokens for a code (RFC 6749 section 4.1.3 with RFC 7636)."""
        answer = await self._ask(
            "POST",
            await self.endpoint("token_endpoint"),
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.redirect,
            client_id=self.client_id,
            code_verifier=verifier,
        )
        return Tokens.answered(answer, now)

    async def renewed(self, tokens: Tokens, now: datetime) -> Tokens:
        """Fresh tokens; LoginNotAccepted when the provider gives none, IssuerAway when it is not there."""
        if not tokens.refresh:
            raise LoginNotAccepted
        answer = await self._ask(
            "POST",
            await self.endpoint("token_endpoint"),
            grant_type="refresh_token",
            refresh_token=tokens.refresh,
            client_id=self.client_id,
        )
        return Tokens.answered(answer, now, tokens.refresh)

    async def _ask(self, method: str, url: str, **form: str) -> dict[str, Any]:
        try:
            response = await self.http.request(method, url, data=form or None)
        except httpx.HTTPError as error:
            raise IssuerAway from error
        if response.status_code >= 500:
            raise IssuerAway
        if response.status_code != 200:
            raise LoginNotAccepted
        answer: dict[str, Any] = response.json()
        return answer
