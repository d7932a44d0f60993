"""What every answer tells the browser: run and load only what is ours, show it in no frame, keep nothing."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Not no-referrer: with it browsers hide the origin of our own forms, which is how we know them.
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
LASTING = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Pure ASGI, outermost: what an answer says for itself stays."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.headers = [*HEADERS.items(), *([LASTING] if secure else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", []))
                said = {name.lower() for name, _ in own}
                message = {**message, "headers": [*own, *((n, v) for n, v in self.headers if n not in said)]}
            await send(message)

        await self.app(scope, receive, sending)
