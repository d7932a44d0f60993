"""OPA's REST answers over its library, on loopback, in a process that dies rather than think too long.

usage: python -m letopis.local.opa.loopback BUNDLE PUBLIC_KEY HOST PORT [TOKEN_FILE]
"""

import asyncio
import json
import logging
import os
import re
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from letopis.common import running
from letopis.common.policy.bundle import verify_bundle
from letopis.common.policy.engine import Engine, PolicyUndefined
from letopis.common.policy.sources import PolicyError
from letopis.common.private_files import read_private

# The library cannot be interrupted. One evaluation past this many seconds of computing ends the process (SIGVTALRM's
# default), callers deny meanwhile, and the supervisor starts another. Waiting for a busy machine does not count.
DEADLINE = 1.0
# How often the archive is looked at, in seconds.
LOOKED_AT = 0.25
_log = logging.getLogger("letopis.policy")
# Go's encoder writes these so, wherever in a text they stand; outside of texts JSON has none of them.
_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
_SEGMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def answer(document: object, status: int = 200) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    return Response(text.translate(_ESCAPED), status, media_type="application/json")


class Served:
    """The engine that answers, and the next one while it is made ready: the old one answers until then."""

    def __init__(self, archive: Path, key: Path) -> None:
        self._archive, self._key = archive, key
        self._stamp = self._of_file()
        self.engine = self._load()
        self.loading = False

    @property
    def deadline(self) -> float:
        """Making an engine ready takes computing time that is nobody's evaluation."""
        return DEADLINE * 10 if self.loading else DEADLINE

    async def follow(self) -> None:
        """Load what is laid in the archive's place, for ever; what is not signed by our key changes nothing."""
        while True:
            await asyncio.sleep(LOOKED_AT)
            if (stamp := self._of_file()) == self._stamp:
                continue
            self._stamp, self.loading = stamp, True
            try:
                before, self.engine = self.engine, await asyncio.to_thread(self._load)
                before.close()
                _log.warning("another policy answers", extra={"revision": self.engine.revision})
            except (PolicyError, OSError) as error:
                _log.error("the new policy is refused, the one before answers on: %s", error)
            finally:
                self.loading = False

    def _load(self) -> Engine:
        engine = Engine(verify_bundle(self._archive, self._key.read_bytes()))
        prepare(engine)
        return engine

    def _of_file(self) -> tuple[int, int]:
        try:
            found = self._archive.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino


def create_app(served: Served, token: str = "") -> Starlette:
    """`GET|POST /v1/data/PATH` and `GET /health`, as OPA's server answers them; with a token only to who holds it."""
    expected = f"Bearer {token}".encode()

    @asynccontextmanager
    async def following(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(served.follow())
        try:
            yield
        finally:
            await running.end(task)

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
        signal.setitimer(signal.ITIMER_VIRTUAL, served.deadline)
        try:
            return answer({"result": served.engine.evaluate(".".join(segments), asked.get("input"))})
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
        ],
        lifespan=following,
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
    app = create_app(Served(Path(bundle), Path(key)), read_private(Path(token[0])).strip() if token else "")
    uvicorn.run(app, host=host, port=int(port), log_level="warning", access_log=False, lifespan="on")


if __name__ == "__main__":
    main(sys.argv[1:])
