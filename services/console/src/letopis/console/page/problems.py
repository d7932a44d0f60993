"""Problems as a page for people who came with a browser; programs get the problem document as it is."""

from typing import Any
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letopis.common.http.problems import MEDIA_TYPE
from letopis.console.page.rendering import Pages, Who

_PROBLEM = MEDIA_TYPE.encode()
_KEPT = {b"set-cookie", b"retry-after", b"letopis-correlation-id", b"letopis-position"}


class ProblemPages:
    """Pure ASGI: holds back a problem document that answers a browser's page request and shows it as a page."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            await self.app(scope, receive, send)
            return
        held: Message | None = None
        body = b""

        async def sending(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start" and _is_problem(message):
                held = message
            elif held is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._show(held, msgspec.json.decode(body), scope, receive, send)

        await self.app(scope, receive, sending)

    async def _show(self, held: Message, problem: Any, scope: Scope, receive: Receive, send: Send) -> None:
        who = Who(login=scope.get("state", {}).get("login", ""))
        page = self.pages.show("problem.html", who, held["status"], problem=problem, here=quote(scope["path"], safe=""))
        page.raw_headers.extend(one for one in held["headers"] if one[0].lower() in _KEPT)
        await page(scope, receive, send)


def _is_problem(message: Message) -> bool:
    headers: dict[bytes, bytes] = {name.lower(): value for name, value in message.get("headers", [])}
    return headers.get(b"content-type", b"").startswith(_PROBLEM)
