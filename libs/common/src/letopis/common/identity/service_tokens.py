"""A service's own access tokens: client credentials, kept until shortly before they expire."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from letopis.common.clock import Clock
from letopis.common.identity import strict_json
from letopis.common.identity.keys import ProviderAway, private_enough

RENEW_BEFORE = timedelta(seconds=60)


class ServiceTokens(httpx.Auth):
    """Gives tokens of one client, and signs requests: `httpx.AsyncClient(auth=tokens)`."""

    def __init__(
        self, issuer_url: str, client_id: str, secret_file: Path, http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self.issuer_url = issuer_url
        self.client_id = client_id
        self._secret_file = secret_file
        self._http = http
        self._clock = clock
        self._token = ""
        self._renew_at: datetime | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """A token that is valid for at least another minute; ProviderAway if none can be had."""
        async with self._asking:
            if self._renew_at is None or self._clock.now() >= self._renew_at:
                await self._renew()
            return self._token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {await self.get()}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            # The issuer may have changed its keys under a token that had time left.
            self._renew_at = None
            request.headers["Authorization"] = f"Bearer {await self.get()}"
            yield request

    async def _renew(self) -> None:
        asked_at = self._clock.now()
        try:
            answer = await self._ask({"grant_type": "client_credentials", "scope": "letopis"})
            token, lifetime = answer["access_token"], answer["expires_in"]
        except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
            raise ProviderAway(f"no token for {self.client_id} from {self.issuer_url}: {error!r}") from error
        self._token = str(token)
        self._renew_at = asked_at + max(timedelta(seconds=int(lifetime)) - RENEW_BEFORE, timedelta(seconds=1))

    async def in_name_of(self, token: str, service: str, purpose: str) -> str:
        """A token with which we act for the bearer of `token` towards one service, for one purpose (RFC 8693).

        ProviderAway if the provider gives none; it is asked each time, since such a token lives for minutes.
        """
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": f"letopis:{service}",
            "purpose": purpose,
        }
        try:
            return str((await self._ask(form))["access_token"])
        except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
            raise ProviderAway(f"{self.client_id} may not act for this person: {error!r}") from error

    async def _ask(self, form: dict[str, str]) -> dict[str, Any]:
        configuration = await self._http.get(
            f"{self.issuer_url.rstrip('/')}/.well-known/openid-configuration", follow_redirects=False, timeout=5
        )
        configuration.raise_for_status()
        document = strict_json.parse(configuration.content)
        url = str(document.get("token_endpoint"))
        if document.get("issuer") != self.issuer_url or not private_enough(url):
            raise ValueError(f"{url} is not where the secret may be sent")
        answer = await self._http.post(
            url,
            data=form,
            # RFC 6749, section 2.3.1: both halves are form-encoded before they become a Basic header.
            auth=httpx.BasicAuth(quote(self.client_id, safe=""), self._secret_file.read_text("ascii").strip()),
            follow_redirects=False,
            timeout=5,
        )
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"the token endpoint answered {answer.status_code}")
        return strict_json.parse(answer.content)
