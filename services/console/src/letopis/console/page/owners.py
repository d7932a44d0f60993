"""Calls to the services that own things, with the token and the stated purpose of the person who clicks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import msgspec
from fastapi import Response

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.http import Call
from letopis.common.settings import ServiceSettings
from letopis.console.session.cookie import SEEN, Setter

PASSED_ON = ("content-type", "letopis-position", "retry-after")
PATIENCE = 5.0
# What a page can do without is not waited for long.
GLANCE = 2.0
# As long as a read model may lag behind what its reader has just done.
REMEMBERED = timedelta(seconds=10)
_OURS = {"type", "code", "title", "status", "detail", "correlation_id"}


class OwnerAway(Unavailable):
    """The service that owns what was asked for does not answer."""

    code = "console.owner_away"
    title = "The service that owns this cannot be reached; try again in a moment"


class OwnerSays(LetopisError):
    """What the owner answered instead: its own problem, passed on as it is."""

    def __init__(self, service: str, answer: httpx.Response) -> None:
        try:
            told = answer.json()
        except ValueError:
            told = {}
        super().__init__(
            str(told.get("detail", f"{service} answered {answer.status_code}")),
            **{name: value for name, value in told.items() if name not in _OURS},
        )
        self.status = answer.status_code
        self.code = str(told.get("code", "console.owner"))
        self.title = str(told.get("title", f"{service} did not answer this"))


@dataclass(frozen=True, slots=True)
class Owners:
    """Speaks to the owners over HTTP; nothing here acts without a person's token."""

    http: httpx.AsyncClient
    settings: ServiceSettings
    setter: Setter

    async def document(self, call: Call, service: str, path: str, **query: str | int) -> Any:
        """The owner's JSON; OwnerSays with its problem where it gives none, OwnerAway where it is away."""
        return self._told(service, await self._send("GET", call, service, path, {}, params=query))

    async def shown(self, call: Call, service: str, path: str) -> Any:
        """The owner's JSON of something whose showing it records; OwnerSays and OwnerAway as of a document."""
        return self._told(service, await self._send("POST", call, service, path, {}, json={}))

    async def file(self, call: Call, service: str, path: str, **query: str | int) -> httpx.Response:
        """The owner's answer whatever its kind; OwnerSays and OwnerAway as of a document."""
        answer = await self._send("GET", call, service, path, {}, params=query)
        if not answer.is_success:
            self._told(service, answer)
        return answer

    def _told(self, service: str, answer: httpx.Response) -> Any:
        if not answer.is_success:
            if answer.status_code >= 500:
                raise OwnerAway(f"{service} answered {answer.status_code}")
            raise OwnerSays(service, answer)
        return msgspec.json.decode(answer.content)

    async def pass_on(
        self, call: Call, service: str, path: str, body: bytes, headers: Mapping[str, str], patience: float = PATIENCE
    ) -> Response:
        """POST as the person, and the answer back as it is, problems included.

        The position of what was recorded goes into a cookie, so that the next page shows it.
        """
        kept = {name: headers[name] for name in ("idempotency-key", "content-type") if name in headers}
        answer = await self._send("POST", call, service, path, kept, patience, content=body)
        back = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        passed = Response(answer.content, status_code=answer.status_code, headers=back)
        if position := answer.headers.get("letopis-position"):
            passed.raw_headers.append((b"set-cookie", self.setter.header(SEEN, position, REMEMBERED)))
        return passed

    async def public(self, service: str, path: str, **query: str | int) -> bytes | None:
        """What anybody may read, without anybody's token; None if it is not there, OwnerAway if the owner is not."""
        answer = await self._ask("GET", service, path, {}, GLANCE, params=query)
        return answer.content if answer.status_code == httpx.codes.OK else None

    async def _send(
        self,
        method: str,
        call: Call,
        service: str,
        path: str,
        headers: Mapping[str, str],
        patience: float = PATIENCE,
        **sent: Any,
    ) -> httpx.Response:
        told = {"authorization": f"Bearer {call.caller.token}", "letopis-correlation-id": call.correlation_id}
        if call.purpose:
            told["letopis-purpose"] = call.purpose
        return await self._ask(method, service, path, {**headers, **told}, patience, **sent)

    async def _ask(
        self, method: str, service: str, path: str, headers: Mapping[str, str], patience: float, **sent: Any
    ) -> httpx.Response:
        address = self.settings.url_of(service) + path
        try:
            return await self.http.request(method, address, headers=headers, timeout=patience, **sent)
        except httpx.HTTPError as error:
            raise OwnerAway(f"{service} cannot be reached") from error
