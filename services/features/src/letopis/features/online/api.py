"""Online reads: many entities, many views, one round trip, under a lease."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from letopis.common.errors import Unavailable
from letopis.common.http import Body, Call, Object, governed, problems
from letopis.features.bundle.decider import BundleUnknown
from letopis.features.bundle.loading import bundle_of, view_of
from letopis.features.naming import Id
from letopis.features.online import views
from letopis.features.online.serving import Shape, answer

router = APIRouter(prefix="/v1/online", tags=["online"])


class EntitiesIn(Body):
    """Keys of entities, as text."""

    entities: Annotated[list[str], Field(min_length=1, max_length=1000)]


class EntityOut(BaseModel):
    """Values in the order of `features`; status PRESENT, STALE, MISSING or MASKED; times ISO 8601."""

    key: str
    values: list[Any]
    status: list[str]
    event_times: list[str | None]
    known_times: list[str | None]


class OnlineOut(BaseModel):
    bundle_id: str
    features: list[str]
    entities: list[EntityOut]


class UseOut(BaseModel):
    consumer: str
    bundle_id: str
    purpose: str
    leases: int
    requests: int
    entities: int
    present: int
    stale: int
    missing: int
    masked: int
    last_at: str


@router.post("/{bundle_id}", responses=problems(BundleUnknown))
async def read(
    bundle_id: Id,
    body: EntitiesIn,
    call: Annotated[Call, governed("features.online.read", fulfils=("mask", "lease"), ledger="access", read=True)],
) -> OnlineOut:
    """Values of now. Where the online store is away every value is MISSING: the caller decides what that means."""
    resources = call.resources
    bundle, shapes = await resources.shelf.get(bundle_id, lambda: _shapes(resources.desk.load, bundle_id))
    question = call.question(Object(type="bundle", id=bundle_id))
    subject = question.subject
    key = (subject.login, bundle_id, question.purpose, subject.roles)
    lease = await resources.leases.hold(key, question)
    call.consented()
    masks = [one["classes"] for one in lease.verdict.obligations if one["type"] == "mask"]
    masked = frozenset(cls for classes in masks for cls in classes)
    # A view whose every feature is masked is not even fetched.
    wanted = {
        id: shape.features
        for id, shape in shapes.items()
        if any(one.view_id == id and one.cls not in masked for one in bundle.features)
    }
    rows = dict.fromkeys(shapes, [None] * len(body.entities))
    try:
        rows |= await resources.online.read(wanted, body.entities)
    except Unavailable:
        resources.store_away.inc()
    told, counts = answer(body.entities, bundle.features, shapes, rows, masked=masked, now=call.now())
    resources.counts.add(lease, counts, len(body.entities))
    return OnlineOut(
        bundle_id=bundle_id,
        features=[one.name for one in bundle.features],
        entities=[EntityOut(**one) for one in told],
    )


@router.get("")
async def use(call: Annotated[Call, governed("features.online.list", ledger="access")]) -> list[UseOut]:
    """Who reads which bundle online, and how much."""
    await call.authorize(Object(type="bundle", id="*"))
    return [UseOut(**one) for one in await views.online_use(call.views)]


async def _shapes(load: Any, bundle_id: str) -> tuple[Any, dict[str, Shape]]:
    bundle = await bundle_of(load, bundle_id)
    shapes = {}
    for view_id in dict.fromkeys(one.view_id for one in bundle.features):
        view = await view_of(load, view_id)
        shapes[view_id] = Shape(features=tuple(one.name for one in view.features), ttl_seconds=view.ttl_seconds)
    return bundle, shapes
