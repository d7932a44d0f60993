"""Turns a browser's cookies into the headers that every governed route expects, and renews the token near its end."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letopis.common.clock import Clock
from letopis.common.errors import LetopisError, Unauthenticated
from letopis.common.http.problems import render
from letopis.console.session.cookie import LIFE, POSITION, PURPOSE, SEEN, SESSION, WORD, Seal, Setter
from letopis.console.session.issuer import Issuer, Tokens
from letopis.console.session.origin import ForeignForm, Origin

EARLY = 60.0
OPEN = ("/login", "/auth/", "/static/", "/healthz", "/readyz", "/metrics")
READS = {"GET", "HEAD"}


class BearerFromCookie:
    """Pure ASGI. Pages without a session go to the login; forms must come from our own page.

    Whoever brings an Authorization header of their own is a program and passes as it is.
    """

    def __init__(
        self, app: ASGIApp, seal: Seal, issuer: Callable[[], Issuer], clock: Clock, origin: Origin, setter: Setter
    ) -> None:
        self.app = app
        self.seal = seal
        self.issuer = issuer
        self.clock = clock
        self.origin = origin
        self.setter = setter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"authorization" in headers:
            await self.app(scope, receive, send)
            return
        page = scope["method"] in READS and b"text/html" in headers.get(b"accept", b"")
        if page and not self.origin.is_host(headers):
            # Cookies belong to one host: somebody who typed another name of it is brought to the one that has them.
            await _redirect(send, self.origin.address + _address(scope))
            return
        cookies = _cookies(headers)
        if scope["method"] not in READS and cookies and not self.origin.sent(headers):
            await render(ForeignForm())(scope, receive, send)
            return
        if scope["path"].startswith(OPEN):
            await self.app(scope, receive, send)
            return
        await self._enter(scope, receive, send, cookies, page=page)

    async def _enter(self, scope: Scope, receive: Receive, send: Send, cookies: dict[str, str], *, page: bool) -> None:
        now = self.clock.now()
        session = self.seal.open(SESSION, cookies.get(SESSION), now)
        tokens = Tokens.of(session) if session else None
        try:
            if tokens is not None and tokens.until - EARLY < now.timestamp():
                tokens = await self.issuer().renewed(tokens, now)
        except Unauthenticated:
            tokens = None
        except LetopisError as away:
            await render(away)(scope, receive, send)
            return
        if tokens is None:
            if page:
                await _redirect(send, f"/login?next={quote(_address(scope), safe='')}")
                return
            # The guard tells programs and scripts that they have no token.
            await self.app(scope, receive, send)
            return
        scope["headers"] = [*scope["headers"], *_told(tokens, cookies, reads=scope["method"] in READS)]
        if session != tokens.kept():
            send = self._remembering(send, tokens, now)
        await self.app(scope, receive, send)

    def _remembering(self, send: Send, tokens: Tokens, now: datetime) -> Send:
        cookie = self.setter.header(SESSION, self.seal.close(SESSION, tokens.kept(), now + LIFE), LIFE)

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (b"set-cookie", cookie)]}
            await send(message)

        return wrapped


def _told(tokens: Tokens, cookies: dict[str, str], *, reads: bool) -> list[tuple[bytes, bytes]]:
    told = [(b"authorization", f"Bearer {tokens.access}".encode())]
    # Other programs on this host can set cookies too; only what reads like ours is passed on.
    if WORD.fullmatch(purpose := cookies.get(PURPOSE, "")):
        told.append((b"letopis-purpose", purpose.encode()))
    if reads and POSITION.fullmatch(seen := cookies.get(SEEN, "")):
        told.append((b"min-position", seen.encode()))
    return told


def _address(scope: Scope) -> str:
    query: str = scope["query_string"].decode("latin-1")
    return quote(scope["path"], safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")


def _cookies(headers: dict[bytes, bytes]) -> dict[str, str]:
    # Read as browsers write: the standard library drops all cookies after one that another program set badly.
    return cookie_parser(headers.get(b"cookie", b"").decode("latin-1"))


async def _redirect(send: Send, location: str) -> None:
    headers = [(b"location", location.encode("latin-1", "replace")), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
