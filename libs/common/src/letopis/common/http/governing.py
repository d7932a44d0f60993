"""Who may enter an endpoint: the token, the purpose and the key of a request, read before the endpoint runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import Depends, Request, Response

from letopis.common import ids
from letopis.common.errors import Invalid, Unauthenticated
from letopis.common.handling import Desk
from letopis.common.http.calling import MIN_POSITION_WAIT, AwaitedViews, Call, ViewBehind
from letopis.common.http.receipts import receipt
from letopis.common.http.routing import BODY_LIMIT, DEADLINE

if TYPE_CHECKING:
    from letopis.common.identity.caller import Caller

READS = frozenset({"GET", "HEAD"})
_KEY = re.compile(r"[\x21-\x7e]{1,128}\Z")
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,127}\Z")
_POSITION = re.compile(r"([a-z][a-z0-9_-]*)/(\d{1,15})\Z")


class HeaderInvalid(Invalid):
    """A header of ours has a value that it cannot have."""

    code = "header.invalid"
    title = "A header is not valid"


class AnsweredBefore(Exception):
    """The command was carried out before; its first answer is given again."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guard:
    """The dependency behind `governed`; the routing table finds it by `is_guard`."""

    action: str
    fulfils: frozenset[str]
    ledger: str
    read: bool | None
    body_limit: int
    streamed: bool
    deadline: float
    delegable: bool
    is_guard: bool = True

    async def __call__(self, request: Request) -> Call:
        resources = request.app.state.resources
        awaited = _positions(request)
        caller = await _caller(request, resources, awaited)
        resources.budgets.take(caller.login)
        read = request.method in READS if self.read is None else self.read
        desk = Desk(resources.store, self.ledger) if self.ledger else resources.desk
        state = request.scope.setdefault("state", {})
        state["login"] = caller.login
        request_hash = await self._hash(request)
        command_id, repeated = _command(request, caller)
        in_person = self.delegable or not caller.act
        if repeated and not read and in_person and (before := await desk.find(command_id, request_hash)) is not None:
            # Who repeats a command was allowed when it was carried out; nothing happens now.
            state["authorized"] = True
            raise AnsweredBefore(receipt(before))
        views = resources.views
        return Call(
            action=self.action,
            caller=caller,
            resources=resources,
            desk=desk,
            fulfils=self.fulfils,
            command_id=command_id,
            request_hash=request_hash,
            correlation_id=str(state.get("correlation_id", "")),
            read=read,
            tenant="",
            views=AwaitedViews(views, awaited) if awaited else views,
            state=state,
            delegable=self.delegable,
        )

    async def _hash(self, request: Request) -> bytes:
        told = sha256(f"{request.method}\n{request.url.path}\n{request.url.query}\n".encode())
        if not self.streamed:
            told.update(await request.body())
        return told.digest()


def governed(
    action: str,
    *,
    fulfils: tuple[str, ...] = (),
    ledger: str = "",
    read: bool | None = None,
    body_limit: int = BODY_LIMIT,
    streamed: bool = False,
    deadline: float = DEADLINE,
    delegable: bool = False,
) -> Any:
    """What stands between a route and strangers, as an annotation of the parameter `call`.

    `fulfils` names the obligations the endpoint carries out. `ledger` is where facts and denials of this endpoint
    go if not to the service's first ledger. `read` says whether a policy answer may be kept 5 s (GET without it).
    `delegable` opens it to a service or a notebook key in a person's name; everything else wants the person.
    `body_limit` in bytes; `streamed` leaves the body to the endpoint, unread and out of the request's hash.
    """
    guard = Guard(
        action=action,
        fulfils=frozenset(fulfils),
        ledger=ledger,
        read=read,
        body_limit=body_limit,
        streamed=streamed,
        deadline=deadline,
        delegable=delegable,
    )
    return Depends(guard)


def bearer(header: str) -> str:
    """The token of an Authorization header, or Unauthenticated."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("send an access token as `Authorization: Bearer ...`")
    return token.strip()


async def _caller(request: Request, resources: Any, awaited: Mapping[str, int]) -> "Caller":
    from letopis.common.identity import notebook_key
    from letopis.common.identity.caller import caller_of
    from letopis.common.identity.claims import Claims

    token = bearer(request.headers.get("authorization", ""))
    purpose = request.headers.get("letopis-purpose", "").strip()
    if purpose and not _PURPOSE.match(purpose):
        raise HeaderInvalid("Letopis-Purpose must be a short name in Latin letters", header="Letopis-Purpose")
    known: notebook_key.Presented | Claims
    if token.startswith(notebook_key.PREFIX):
        known = notebook_key.parsed(token)
    else:
        known = await resources.verifier.verify(token)
    if awaited:
        # Whoever waits for a position also sees the grants made before it.
        try:
            await resources.directory.reach(awaited, MIN_POSITION_WAIT)
        except TimeoutError as error:
            raise ViewBehind("the directory of principals is behind") from error
    now = resources.clock.now()
    principal = await resources.directory.find(known.login)
    claims = notebook_key.claims_of(known, principal, now) if isinstance(known, notebook_key.Presented) else known
    # Whether somebody may act in the person's name here is asked with the rest, so that a denial is a fact.
    return caller_of(claims, principal, purpose, token, now, in_person=False)


def _command(request: Request, caller: "Caller") -> tuple[UUID, bool]:
    key = request.headers.get("idempotency-key", "")
    if not key:
        return ids.uuid7(), False
    if not _KEY.match(key):
        raise HeaderInvalid("Idempotency-Key must be 1 to 128 printable characters", header="Idempotency-Key")
    # The route, not the address: the same key for another object is another request, and told so.
    route = f"{request.method} {request.scope['state'].get('route', request.url.path)}"
    return ids.command_id(caller.person or caller.login, route, key), True


def _positions(request: Request) -> dict[str, int]:
    """Positions by ledger, read from a header such as `registry/1042, features/7`."""
    header = request.headers.get("min-position", "")
    found = [_POSITION.match(part.strip()) for part in header.split(",")] if header else []
    if not all(found):
        raise HeaderInvalid("Min-Position must read ledger/position", header="Min-Position")
    return {match[1]: int(match[2]) for match in found if match}
