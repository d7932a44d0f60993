"""The outermost ring: gives a request its correlation id, counts it, times it, and writes one line about it."""

import logging
import re
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letopis.common.errors import LetopisError
from letopis.common.http.problems import problem
from letopis.common.ids import uuid7
from letopis.common.observability import Metrics

_log = logging.getLogger("letopis.http")
_OWN = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?\Z")


def correlation_of(headers: dict[bytes, bytes]) -> str:
    """The caller's own id, else the trace of W3C traceparent, else a new one."""
    own = headers.get(b"letopis-correlation-id", b"").decode("latin-1")
    if _OWN.match(own):
        return own
    trace = _TRACE.match(headers.get(b"traceparent", b"").decode("latin-1"))
    if trace and trace[1] != "0" * 32:
        return trace[1]
    return str(uuid7())


class AccessLog:
    """Sees every request and every crash."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._requests = metrics.counter("http_requests", "Requests answered", ("method", "route", "status"))
        self._seconds = metrics.histogram("http_request_seconds", "Time to answer", ("method", "route"))
        self._strangers = metrics.counter("http_unauthenticated", "Requests without a token that can be trusted")
        self._denied = metrics.counter("authorization_denied", "Requests that policy denied", ("action",))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        correlation_id = state["correlation_id"] = correlation_of(dict(scope["headers"]))
        began, status, started = perf_counter(), 500, False

        async def told(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                name = (b"letopis-correlation-id", correlation_id.encode("latin-1"))
                message = {**message, "headers": [*message.get("headers", ()), name]}
            await send(message)

        try:
            await self.app(scope, receive, told)
        except Exception as error:
            # The last resort: nothing of the error's text leaves, neither to the caller nor into the log.
            _log.exception("request failed", extra=_fields(scope, state, 500, began), exc_info=error)
            if started:
                raise
            await _crash(scope, receive, told, correlation_id)
        finally:
            self._count(scope, state, status, began)

    def _count(self, scope: Scope, state: dict[str, Any], status: int, began: float) -> None:
        method, route = scope["method"], state.get("route", "none")
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(perf_counter() - began)
        if status == 401:
            self._strangers.inc()
        if denied := state.get("denied"):
            self._denied.labels(denied).inc()
        if route not in {"/healthz", "/readyz", "/metrics"}:
            _log.info("request", extra=_fields(scope, state, status, began))


def _fields(scope: Scope, state: dict[str, Any], status: int, began: float) -> dict[str, Any]:
    return {
        "method": scope["method"],
        "route": state.get("route", "none"),
        "status": status,
        "milliseconds": round((perf_counter() - began) * 1000, 2),
        "login": state.get("login", ""),
        "correlation_id": state["correlation_id"],
    }


async def _crash(scope: Scope, receive: Receive, send: Send, correlation_id: str) -> None:
    answer = problem(500, LetopisError.code, LetopisError.title, LetopisError.title, correlation_id=correlation_id)
    await answer(scope, receive, send)
