"""Promotions: the list, the page to sign on, and the way of a signature to the registry."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway
from letopis.console.page.rendering import show
from letopis.console.promotion import views

router = APIRouter(tags=["promotion"])

RESOURCE = {"approve": "approvals", "reject": "rejections"}


@router.get("/promotions")
async def promotions(call: Annotated[Call, governed("console.page.read")]) -> Response:
    await call.authorize(Object(type="page", id="promotions"))
    return show(call, "promotions.html", promotions=await views.promotions(call.views))


@router.get("/promotions/{promotion_id}", responses=problems(NotFound))
async def promotion(promotion_id: str, call: Annotated[Call, governed("console.page.read")]) -> Response:
    """The page to sign on; it names the keys the person has enrolled, so that the browser knows whether its is one."""
    await call.authorize(Object(type="page", id="promotion"))
    found = await views.promotion(call.views, promotion_id)
    if found is None:
        raise NotFound(f"there is no promotion {promotion_id}")
    principal = await call.resources.directory.find(call.caller.login)
    keys = sorted(principal.keys) if principal else []
    return show(call, "promotion.html", promotion=found, keys=keys, shown=call.caller.mfa_at)


@router.post("/promotions/{promotion_id}/{verdict}", responses=problems(OwnerAway))
async def decide(
    promotion_id: str,
    verdict: Literal["approve", "reject"],
    request: Request,
    call: Annotated[Call, governed("console.page.act", read=True)],
) -> Response:
    """Hands the signed verdict to the registry as the person who clicked; the registry decides."""
    await call.authorize(Object(type="page", id="promotion"))
    path = f"/v1/promotions/{quote(promotion_id, safe='')}/{RESOURCE[verdict]}"
    return await _registry(call, path, request)


@router.post("/keys", responses=problems(OwnerAway))
async def enrol_key(request: Request, call: Annotated[Call, governed("console.page.act", read=True)]) -> Response:
    """Enrols the browser's public key under the person's own login."""
    await call.authorize(Object(type="page", id="keys"))
    return await _registry(call, f"/v1/principals/{quote(call.caller.login, safe='')}/keys", request)


async def _registry(call: Call, path: str, request: Request) -> Response:
    answer: Response = await call.resources.owners.pass_on(
        call, "registry", path, await request.body(), request.headers
    )
    return answer
