"""A witness over HTTP: two doors, no users, nothing but checkpoints that continue what it signed before."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from letopis.audit.witness.watching import Unwitnessed, Witness

MOST_BYTES = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """`POST /add-checkpoint` as C2SP tlog-witness tells it, and `GET /` for people."""

    witness: Witness

    async def add_checkpoint(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse(f"a request has at most {MOST_BYTES} bytes\n", status_code=413)
        try:
            line = await asyncio.to_thread(self.witness.add_checkpoint, bytes(body))
        except Unwitnessed as refused:
            _log.warning("not signed", extra={"status": refused.status, "reason": str(refused)})
            media = "text/plain" if refused.size is None else SIZE_TYPE
            return Response(refused.body, status_code=refused.status, media_type=media)
        return PlainTextResponse(line)

    async def show(self, _: Request) -> Response:
        """The witness's key, and how far it has followed each log."""
        heads = await asyncio.to_thread(lambda: {one: self.witness.heads.head(one) for one in self.witness.logs})
        lines = [self.witness.cosigner.verifier().text()]
        lines += [f"{origin} {head.size} {head.root.hex()}" for origin, head in sorted(heads.items())]
        return PlainTextResponse("\n".join(lines) + "\n")


def create_app(witness: Witness) -> Any:
    """The application."""
    doors = Doors(witness)
    return Starlette(
        routes=[
            Route("/add-checkpoint", doors.add_checkpoint, methods=["POST"]),
            Route("/", doors.show, methods=["GET"]),
        ]
    )
