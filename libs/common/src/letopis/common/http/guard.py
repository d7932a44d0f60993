"""The first that sees a request: before anything is parsed it is measured, and strangers are turned away.

Pure ASGI. In this order: is the route known and is a token there, is the body small and acceptable JSON, is it
done in time; and on the way out, was policy asked.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letopis.common.errors import Invalid, LetopisError, Unavailable
from letopis.common.http.governing import bearer
from letopis.common.http.problems import problem, render
from letopis.common.http.routing import Rule, Table
from letopis.common.http.strict import check

_log = logging.getLogger("letopis.http")


class TooLarge(Invalid):
    """More than the route takes."""

    status = 413
    code = "body.too_large"
    title = "The body is larger than this address takes"


class NulInAddress(Invalid):
    """An address that no database can store."""

    code = "address.invalid"
    title = "The address holds a character that cannot be accepted"


class TooLate(Unavailable):
    """The answer took longer than the route allows; a command may or may not have been carried out."""

    code = "deadline"
    title = "The answer took too long; repeat with the same Idempotency-Key to learn what happened"


class PolicyNotAsked(LetopisError):
    """A fault of ours: an endpoint answered without asking policy. The answer does not leave."""

    code = "http.policy_not_asked"
    title = "The endpoint did not ask policy"


class RequestGuard:
    """Stands between the server and the application."""

    def __init__(self, app: ASGIApp, table: Table) -> None:
        self.app = app
        self.table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # No service speaks WebSocket; the life of the application passes.
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        answer = _Answer(send, state)
        try:
            rule = self._admit(scope, state)
            if rule is None:
                # The application says 404 or 405 without reading a body.
                await self.app(scope, receive, send)
                return
            answer.rule = rule
            async with asyncio.timeout(rule.deadline):
                body = None if rule.streamed else await _read(receive, rule, _headers(scope))
                inner = _counted(receive, rule) if body is None else _replayed(body, receive)
                await self.app(scope, inner, answer)
        except TimeoutError:
            await answer.instead(TooLate(f"no answer within {answer.rule.deadline if answer.rule else 0:g} s"))
        except LetopisError as error:
            await answer.instead(error)

    def _admit(self, scope: Scope, state: dict[str, Any]) -> Rule | None:
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            raise NulInAddress("the address holds NUL")
        rule = self.table.find(scope["method"], scope["path"])
        state["route"] = rule.path if rule else "none"
        if rule is not None and not rule.public:
            bearer(_headers(scope).get(b"authorization", b"").decode("latin-1"))
        return rule


class _Answer:
    """The way out: an answer of a governed route leaves only if policy was asked, or if it is an error."""

    def __init__(self, send: Send, state: dict[str, Any]) -> None:
        self.send, self.state = send, state
        self.rule: Rule | None = None
        self.started = self.replaced = False

    async def __call__(self, message: Message) -> None:
        if self.replaced:
            return
        if message["type"] == "http.response.start":
            governed = self.rule is not None and not self.rule.public
            if governed and message["status"] < 400 and not self.state.get("authorized"):
                self.replaced = True
                _log.error("policy was not asked", extra={"route": self.state.get("route", "")})
                await self._problem(PolicyNotAsked())
                return
            self.started = True
        await self.send(message)

    async def instead(self, error: LetopisError) -> None:
        if self.started:
            # The head is out; cutting the connection is the only way left to say that this is not whole.
            raise error
        await self._problem(error)

    async def _problem(self, error: LetopisError) -> None:
        correlation_id = str(self.state.get("correlation_id", ""))
        if isinstance(error, TooLarge):
            answer = problem(413, error.code, error.title, error.detail, correlation_id=correlation_id)
            answer.headers["Connection"] = "close"
        else:
            answer = render(error, correlation_id)
        self.started = True
        await self.send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await self.send({"type": "http.response.body", "body": bytes(answer.body)})


def _headers(scope: Scope) -> Mapping[bytes, bytes]:
    return dict(scope["headers"])


async def _read(receive: Receive, rule: Rule, headers: Mapping[bytes, bytes]) -> bytes:
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > rule.body_limit:
        raise TooLarge(f"the body has {int(declared)} bytes, at most {rule.body_limit} are taken")
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("the sender left before the body was complete")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > rule.body_limit:
            raise TooLarge(f"at most {rule.body_limit} bytes are taken")
        more = message.get("more_body", False)
    body = b"".join(parts)
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if body and (kind == b"application/json" or kind.endswith(b"+json")):
        check(body)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _counted(receive: Receive, rule: Rule) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > rule.body_limit:
            raise TooLarge(f"at most {rule.body_limit} bytes are taken")
        return message

    return counted
