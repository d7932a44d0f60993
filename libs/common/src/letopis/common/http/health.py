"""Whether the process lives, whether it can serve, and its metrics: what operators ask, without a token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from letopis.common.http.routing import public

CHECK_DEADLINE = 2.0
Checks = Mapping[str, Callable[[], Awaitable[bool]]]

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """Whether requests can be served: what answers need, by name, and what works beside them."""

    ready: bool
    needs: dict[str, bool]
    parts: dict[str, Any]


@router.get("/healthz")
@public
async def healthz() -> dict[str, str]:
    """The process answers; says nothing of the parts it needs."""
    return {"status": "alive"}


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "not ready"}})
@public
async def readyz(request: Request) -> Response:
    """Every part by name; 503 while one that is needed for answers is away."""
    state = request.app.state
    names = list(state.checks)
    answers = await asyncio.gather(*(_well(state.checks[name]) for name in names))
    needed = dict(zip(names, answers, strict=True))
    parts: dict[str, Any] = state.parts.health() if getattr(state, "parts", None) is not None else {}
    ready = all(needed.values())
    body = {"ready": ready, "needs": needed, "parts": parts}
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
@public
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _well(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(CHECK_DEADLINE):
            return await check()
    except Exception:  # noqa: BLE001 whatever a check meets, the part is not well
        return False
