"""Asking for an emergency, agreeing to it, and reviewing it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.break_glass import views
from letopis.registry.break_glass.decider import (
    BREAK_GLASS,
    ConfirmBreakGlass,
    EmergencyUnknown,
    RequestBreakGlass,
    RequestOver,
    ReviewBreakGlass,
    ReviewerInvolved,
    ReviewOwed,
    SamePerson,
)
from letopis.registry.production.decider import PRODUCTION, EnterProduction
from letopis.registry.segregation.graph import INDEPENDENT, told
from letopis.registry.segregation.looking import GraphBehind, proxy_of
from letopis.registry.version.decider import VERSION, Registered

router = APIRouter(prefix="/v1", tags=["break_glass"])

Text = Annotated[str, Field(min_length=20, max_length=2000)]


class EmergencyIn(Body):
    """What goes into production without its evidence, why, and for how many hours at most."""

    version_id: str
    reason: Text
    hours: Annotated[int, Field(ge=1, le=24)] = 24


class ReviewIn(Body):
    outcome: Literal["justified", "unjustified"]
    findings: Text


class EmergencyOut(BaseModel):
    break_glass_id: str
    model_id: str
    version_id: str
    reason: str
    hours: int
    requested_by: str
    requested_at: str
    confirmed_by: str
    until: str | None
    running: bool
    state: str
    outcome: str
    findings: str
    reviewed_by: str


@router.post(
    "/models/{model_id}/break-glass",
    status_code=201,
    response_model=Receipt,
    responses=problems(ReviewOwed, NotFound),
)
async def request(
    model_id: str, body: EmergencyIn, call: Annotated[Call, governed("registry.break_glass.request")]
) -> Response:
    """One person asks; nothing happens until another agrees."""
    version = (await call.load(VERSION, body.version_id)).state
    if not isinstance(version, Registered) or version.model_id != model_id:
        raise NotFound(f"the model {model_id} has no version {body.version_id}")
    authorization = await call.authorize(
        Object(type="model", id=model_id, attributes={"hours": body.hours}), facts={"mfa_age": call.mfa_age()}
    )
    command = RequestBreakGlass(
        break_glass_id=call.new_id(),
        model_id=model_id,
        version_id=version.version_id,
        version_digest=version.digest,
        reason=body.reason,
        hours=body.hours,
        by=call.caller.person,
        at=call.now(),
    )
    return call.receipt(await call.handle(BREAK_GLASS, model_id, command, authorization))


@router.post(
    "/models/{model_id}/break-glass/{break_glass_id}/confirmations",
    status_code=201,
    response_model=Receipt,
    responses=problems(EmergencyUnknown, SamePerson, RequestOver, GraphBehind),
)
async def confirm(
    model_id: str, break_glass_id: str, call: Annotated[Call, governed("registry.break_glass.confirm")]
) -> Response:
    """Another person agrees: the version enters production, and its review is owed."""
    asked = (await call.load(BREAK_GLASS, model_id)).state.asked
    if asked is None or asked.break_glass_id != break_glass_id:
        raise EmergencyUnknown
    version = (await call.load(VERSION, asked.version_id)).state
    author = version.author if isinstance(version, Registered) else ""
    manifest = version.manifest if isinstance(version, Registered) else {}
    proxy = await proxy_of(call, {asked.by, author}, manifest)
    authorization = await call.authorize(
        Object(type="model", id=model_id),
        facts={
            "requested_by": asked.by,
            "author": author,
            "independent": proxy is None,
            "hands": told(proxy) if proxy else INDEPENDENT,
            "mfa_age": call.mfa_age(),
        },
    )
    command = ConfirmBreakGlass(break_glass_id=break_glass_id, author=author, by=call.caller.person, at=call.now())
    handled = await call.handle(BREAK_GLASS, model_id, command, authorization)
    enter = EnterProduction(
        model_id=model_id,
        version_id=asked.version_id,
        version_digest=asked.version_digest,
        promotion_id=break_glass_id,
    )
    await call.handle_also(PRODUCTION, model_id, enter, authorization)
    return call.receipt(handled)


@router.post(
    "/models/{model_id}/break-glass/{break_glass_id}/reviews",
    status_code=201,
    response_model=Receipt,
    responses=problems(EmergencyUnknown, ReviewerInvolved),
)
async def review(
    model_id: str, break_glass_id: str, body: ReviewIn, call: Annotated[Call, governed("registry.break_glass.review")]
) -> Response:
    """Somebody who had no part in it says what they found; ordinary promotions of the model go on."""
    opened = (await call.load(BREAK_GLASS, model_id)).state.opened
    if opened is None or opened.break_glass_id != break_glass_id:
        raise EmergencyUnknown
    authorization = await call.authorize(
        Object(type="model", id=model_id),
        facts={"requested_by": opened.requested_by, "confirmed_by": opened.confirmed_by},
    )
    command = ReviewBreakGlass(break_glass_id=break_glass_id, by=call.caller.person, **body.model_dump())
    return call.receipt(await call.handle(BREAK_GLASS, model_id, command, authorization))


@router.get("/break-glass")
async def emergencies(
    call: Annotated[Call, governed("registry.break_glass.list")], state: str | None = None, model_id: str | None = None
) -> list[EmergencyOut]:
    await call.authorize(Object(type="model", id=model_id or "*"))
    return [EmergencyOut(**one) for one in await views.emergencies(call.views, state, model_id)]
