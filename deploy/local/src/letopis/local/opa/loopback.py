"""OPA's REST answers over its library, on loopback, in a process that dies rather than think too long.

usage: python -m letopis.local.opa.loopback BUNDLE PUBLIC_KEY HOST PORT [TOKEN_FILE]
"""

import json
import os
import re
import secrets
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from letopis.common.policy.bundle import verify_bundle
from letopis.common.policy.engine import Engine, PolicyUndefined
from letopis.common.policy.sources import PolicyError
from letopis.common.private_files import read_private

# The library cannot be interrupted. One evaluation past this many seconds of computing ends the process (SIGVTALRM's
# default), callers deny meanwhile, and the supervisor starts another. Waiting for a busy machine does not count.
DEADLINE = 1.0
# Go's encoder writes these so, wherever in a text they stand; outside of texts JSON has none of them.
_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
_SEGMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def answer(document: object, status: int = 200) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    return Response(text.translate(_ESCAPED), status, media_type="application/json")


def create_app(engine: Engine, token: str = "") -> Starlette:
    """`GET|POST /v1/data/PATH` and `GET /health`, as OPA's server answers them; with a token only to who holds it."""
    expected = f"Bearer {token}".encode()

    async def data(request: Request) -> Response:
        if token and not secrets.compare_digest(request.headers.get("authorization", "").encode(), expected):
            return answer({"code": "unauthorized", "message": "request rejected by administrative policy"}, 401)
        body = await request.body() if request.method == "POST" else b""
        try:
            asked: dict[str, Any] = json.loads(body) if body else {}
        except ValueError as error:
            message = f"body contains malformed input document: {error}"
            return answer({"code": "invalid_parameter", "message": message}, 400)
        segments = [part for part in request.path_params["path"].split("/") if part]
        if not segments or not all(_SEGMENT.match(part) for part in segments):
            return answer({})
        signal.setitimer(signal.ITIMER_VIRTUAL, DEADLINE)
        try:
            return answer({"result": engine.evaluate(".".join(segments), asked.get("input"))})
        except PolicyUndefined:
            return answer({})
        except PolicyError as error:
            return answer({"code": "internal_error", "message": error.detail}, 500)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    async def health(_: Request) -> Response:
        return answer({})

    return Starlette(
        routes=[
            Route("/v1/data/{path:path}", data, methods=["GET", "POST"]),
            Route("/health", health),
        ]
    )


def prepare(engine: Engine) -> None:
    """Ask about every service once: the first question of each costs fifty times the next."""
    actions = engine.evaluate("bundle.actions")
    for service in sorted({action.partition(".")[0] for action in actions}):
        with suppress(PolicyError):
            engine.evaluate(f"letopis.{service}.authorize", {})


def main(argv: list[str]) -> None:
    """Verify the bundle's signature, compile it, serve."""
    if os.environ.get("LETOPIS_PROFILE") == "bank":
        raise PolicyError("profile bank needs OPA's own server; this one answers by the library")
    bundle, key, host, port, *token = argv
    engine = Engine(verify_bundle(Path(bundle), Path(key).read_bytes()))
    prepare(engine)
    app = create_app(engine, read_private(Path(token[0])).strip() if token else "")
    uvicorn.run(app, host=host, port=int(port), log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main(sys.argv[1:])
