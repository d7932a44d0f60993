"""The overview, and a page for each model and version."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Response

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.console.alert.views import alerts
from letopis.console.chronicle.views import LEDGERS
from letopis.console.deployment.views import applications
from letopis.console.emergency.views import emergencies
from letopis.console.page.rendering import show
from letopis.console.promotion.views import promotions
from letopis.console.wall import views

router = APIRouter(tags=["wall"])


@router.get("/")
async def wall(call: Annotated[Call, governed("console.page.read")]) -> Response:
    await call.authorize(Object(type="page", id="wall"))
    cards, open_alerts = await views.cards(call.views), await alerts(call.views)
    return show(
        call,
        "wall.html",
        cards=cards,
        alerts=open_alerts,
        emergencies=await emergencies(call.views),
        alerts_of=Counter(one["model_id"] for one in open_alerts),
        applications=await applications(call.views),
        sizes=await call.resources.sealed.sizes((*LEDGERS, "decisions")),
    )


@router.get("/models/{model_id}", responses=problems(NotFound))
async def model(model_id: str, call: Annotated[Call, governed("console.page.read")]) -> Response:
    await call.authorize(Object(type="page", id="model"))
    card = await views.card(call.views, model_id)
    if card is None:
        raise NotFound(f"there is no model {model_id}")
    return show(
        call,
        "model.html",
        card=card,
        versions=await views.versions_of(call.views, model_id),
        applications=await applications(call.views, model_id=model_id),
        alerts=await alerts(call.views, model_id=model_id, resolved=True),
        emergencies=await emergencies(call.views, model_id=model_id),
    )


@router.get("/versions/{version_id}", responses=problems(NotFound))
async def version(version_id: str, call: Annotated[Call, governed("console.page.read")]) -> Response:
    await call.authorize(Object(type="page", id="version"))
    found = await views.version(call.views, version_id)
    if found is None:
        raise NotFound(f"there is no version {version_id}")
    card = await views.card(call.views, found["model_id"])
    return show(
        call,
        "version.html",
        version=found,
        in_production=card is not None and card["in_production"] == version_id,
        promotions=await promotions(call.views, version_id=version_id),
    )
