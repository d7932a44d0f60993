"""The fast door of scoring: raw ASGI in front of the application, for POST /v1/score/{application}/{api_version}.

It does what guard and governed do for every other route, in memory: token, purpose, size and shape of the body,
lease. With a lease held it needs neither PostgreSQL nor OPA nor NATS. Everything else passes through.
"""

import logging
from time import perf_counter
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letopis.common.errors import Invalid, LetopisError
from letopis.common.http.access import correlation_of
from letopis.common.http.governing import HeaderInvalid, bearer
from letopis.common.http.guard import TooLarge
from letopis.common.http.problems import render
from letopis.common.http.strict import check
from letopis.common.identity.caller import caller_of
from letopis.common.observability import Metrics
from letopis.inference.scoring.api import BODY_LIMIT
from letopis.inference.scoring.desk import Request

Headers = list[tuple[bytes, bytes]]

PREFIX = "/v1/score/"
_JSON = (b"content-type", b"application/json")
_log = logging.getLogger("letopis.http")
_ENCODER = msgspec.json.Encoder()


class ScoringFront:
    """`owner` is the application whose state holds the resources."""

    def __init__(self, app: ASGIApp, owner: Any, metrics: Metrics) -> None:
        self.app = app
        self.owner = owner
        self._answered = metrics.counter("scoring_requests", "Scoring requests answered", ("status",))
        self._seconds = metrics.histogram("scoring_seconds", "Time to a durable answer")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "POST" or not path.startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        application, _, api_version = path[len(PREFIX) :].partition("/")
        if not application or not api_version or "/" in api_version:
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        headers = dict(scope["headers"])
        correlation_id = _correlation(headers)
        status, told, body = await self._answer(scope, receive, headers, application, api_version, correlation_id)
        self._seconds.observe(perf_counter() - began)
        self._answered.labels(str(status)).inc()
        if correlation_id:
            told.append((b"letopis-correlation-id", correlation_id.encode("latin-1")))
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[bytes, bytes],
        application: str,
        api_version: str,
        correlation_id: str,
    ) -> tuple[int, Headers, bytes]:
        resources = self.owner.state.resources
        try:
            token = bearer(headers.get(b"authorization", b"").decode("latin-1"))
            claims = await resources.verifier.verify(token)
            principal = await resources.callers.find(claims.login)
            caller = caller_of(claims, principal, _purpose(headers), token, resources.clock.now())
            body = await _body(receive, headers)
            check(body)
            request = Request(
                application=application,
                api_version=api_version,
                body=body,
                explain=b"explain=true" in scope.get("query_string", b""),
                correlation_id=correlation_id,
            )
            scored = _ENCODER.encode(await resources.scoring.score(caller, request))
            return 200, [_JSON, (b"content-length", str(len(scored)).encode())], scored
        except LetopisError as error:
            answer = render(error, correlation_id)
        except Exception as error:  # noqa: BLE001 the last resort, as in the access log: nothing of its text leaves
            _log.exception("request failed", extra={"route": PREFIX, "status": 500}, exc_info=error)
            answer = render(LetopisError(), correlation_id)
        # All its headers: a 401 names the scheme, a 503 says when to come again.
        return answer.status_code, list(answer.raw_headers), bytes(answer.body)


def _correlation(headers: dict[bytes, bytes]) -> str:
    """The id that the caller brings; a request without one is known by its decision id."""
    brought = b"letopis-correlation-id" in headers or b"traceparent" in headers
    return correlation_of(headers) if brought else ""


def _purpose(headers: dict[bytes, bytes]) -> str:
    purpose = headers.get(b"letopis-purpose", b"").decode("latin-1").strip()
    if purpose and not (purpose.isascii() and purpose.isprintable() and len(purpose) <= 128):
        raise HeaderInvalid("Letopis-Purpose must be a short name in Latin letters", header="Letopis-Purpose")
    return purpose


async def _body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise TooLarge(f"the body has {int(declared)} bytes, at most {BODY_LIMIT} are taken")
    message: Message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise TooLarge(f"at most {BODY_LIMIT} bytes are taken")
    if message["type"] == "http.disconnect":
        raise Invalid("the sender left before the body was complete")
    return body
