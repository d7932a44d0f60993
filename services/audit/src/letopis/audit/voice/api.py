"""Completeness and silence over HTTP: the signed heartbeat for everybody, expectations for those who may set them."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from letopis.audit.voice import views
from letopis.audit.voice.decider import VOICE, ExpectationUnclear, SetExpectation
from letopis.audit.voice.events import Kind
from letopis.audit.voice.watching import PLACE, heartbeat_signer
from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, media, problems, public

router = APIRouter(tags=["voice"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


class ExpectationIn(Body):
    """It must be heard of within so many seconds; null: it need not speak."""

    within_seconds: int | None
    reason: Annotated[str, Field(max_length=2000)]


class CountedOut(BaseModel):
    owner: int | None
    copied: int
    sealed: int
    halted: bool


class HeartbeatOut(BaseModel):
    position: int
    at: str
    complete: bool
    missing: list[str]
    ledgers: dict[str, CountedOut]


class VoiceOut(BaseModel):
    kind: Kind
    name: str
    silent: bool
    within_seconds: int | None
    expected_by: str
    reason: str
    last_at: str | None
    since: str | None
    times: int


@router.get("/heartbeat", response_class=media("text/plain"), responses=problems(NotFound))
@public
async def heartbeat(request: Request) -> Response:
    """The last heartbeat as a signed note: each ledger at its owner, copied and sealed; and what is missing."""
    resources: Any = request.app.state.resources
    note = await asyncio.to_thread(resources.log.shelf.checkpoint, PLACE)
    if note is None:
        raise NotFound("no heartbeat has been recorded yet")
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/heartbeat/key", response_class=media("text/plain"))
@public
async def key(request: Request) -> Response:
    """The verifier key of heartbeats; compare it with the one you were given in another way."""
    resources: Any = request.app.state.resources
    told = heartbeat_signer(resources.settings.origin, resources.log).verifier().text()
    return Response(f"{told}\n", media_type="text/plain; charset=utf-8")


@router.get("/v1/heartbeats")
async def heartbeats(
    call: Annotated[Call, governed("audit.voice.list")], limit: Annotated[int, Query(ge=1, le=1500)] = 60
) -> list[HeartbeatOut]:
    """The last heartbeats, newest first."""
    await call.authorize(Object(type="heartbeat", id="*"))
    found = await views.heartbeats(call.views, limit)
    return [HeartbeatOut(**{name: one[name] for name in HeartbeatOut.model_fields}) for one in found]


@router.get("/v1/voices")
async def voices(call: Annotated[Call, governed("audit.voice.list")]) -> list[VoiceOut]:
    """Who was ever silent, and of whom something is expected; the silent first."""
    await call.authorize(Object(type="voice", id="*"))
    found = await views.silences(call.views)
    return [VoiceOut(**{name: one[name] for name in VoiceOut.model_fields}) for one in found]


@router.put(
    "/v1/expectations/{kind}/{name}", status_code=201, response_model=Receipt, responses=problems(ExpectationUnclear)
)
async def expect(
    kind: Kind, name: Name, body: ExpectationIn, call: Annotated[Call, governed("audit.voice.expect")]
) -> Response:
    """Say within what time a service, a ledger or a model must be heard of; its silence is an alarm then."""
    authorization = await call.authorize(Object(type=kind, id=name))
    command = SetExpectation(
        kind=kind, name=name, within_seconds=body.within_seconds, reason=body.reason, by=call.caller.person
    )
    return call.receipt(await call.handle(VOICE, f"{kind}:{name}", command, authorization))
