"""Feature views: a statement that passed the gate, with the class of each feature worked out from its lineage."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.entity.decider import ENTITY, EntityUnknown
from letopis.features.entity.decider import Registered as KnownEntity
from letopis.features.naming import Id, Text, Word
from letopis.features.query.gate import (
    ColumnsDisagree,
    ColumnUnknown,
    FunctionNotAllowed,
    ReadOnly,
    SqlNotUnderstood,
    bound_types,
)
from letopis.features.source.classes import highest
from letopis.features.source.decider import Registered, SourceUnknown
from letopis.features.view import views
from letopis.features.view.decider import (
    VIEW,
    FeaturesMissing,
    RegisterView,
    TimesMissing,
    TimeToLiveWrong,
    UnclassifiedInput,
    ViewUnchanged,
)
from letopis.features.view.events import ViewFeature
from letopis.features.view.lineage import lineage

router = APIRouter(prefix="/v1/views", tags=["view"])


class ViewIn(Body):
    """A SELECT over sources giving the entity's key, the event time, perhaps the known time, and features."""

    name: Word
    entity: Word
    event_time: Word
    known_time: Word | None = None
    ttl_seconds: Annotated[int, Field(ge=1, le=3_200_000_000)] | None = None
    sql: Annotated[str, Field(min_length=1, max_length=20_000)]
    description: Text = ""


class ViewOut(BaseModel):
    view_id: str
    name: str
    number: int
    entity: str
    key: str
    event_time: str
    known_time: str | None
    ttl_seconds: int | None
    sql: str
    sql_hash: str
    reads: dict[str, list[str]]
    features: list[dict[str, Any]]
    owner: str
    description: str
    registered_at: str


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        EntityUnknown,
        SourceUnknown,
        ReadOnly,
        SqlNotUnderstood,
        FunctionNotAllowed,
        ColumnUnknown,
        ColumnsDisagree,
        TimesMissing,
        TimeToLiveWrong,
        FeaturesMissing,
        UnclassifiedInput,
        ViewUnchanged,
    ),
)
async def register(body: ViewIn, call: Annotated[Call, governed("features.view.register")]) -> Response:
    """Register a version; nothing is read."""
    authorization = await call.authorize(Object(type="view", id=body.name))
    entity = (await call.load(ENTITY, body.entity)).state
    if not isinstance(entity, KnownEntity):
        raise EntityUnknown
    plan = await call.resources.gateway.plan(call, {"view": body.sql})
    seen = plan.statements.get("view")
    if seen is None:
        raise UnclassifiedInput("a production source has no dictionary here; build the view on an extract of it")
    dictionary = {id: source.dictionary for id, source in plan.sources.items()}
    origin = await asyncio.to_thread(lineage, body.sql, dictionary, seen.parsed)
    types = await asyncio.to_thread(bound_types, body.sql, dictionary)
    times = {entity.key, body.event_time, body.known_time}
    command = RegisterView(
        name=body.name,
        entity=body.entity,
        key=entity.key,
        event_time=body.event_time,
        known_time=body.known_time,
        ttl_seconds=body.ttl_seconds,
        sql=body.sql,
        sql_hash=seen.sql_hash,
        reads=seen.planned,
        outputs=tuple(types),
        features=tuple(
            feature(name, type, origin.get(name, ()), plan.sources) for name, type in types.items() if name not in times
        ),
        owner=call.caller.person or call.caller.login,
        description=body.description,
    )
    return call.receipt(await call.handle(VIEW, body.name, command, authorization))


def feature(name: str, type: str, origin: tuple[str, ...], sources: dict[str, Registered]) -> ViewFeature:
    """A feature with the highest class of the columns behind it; its kind only where it is one column's."""
    pairs = [one.split(".", 1) for one in origin]
    kinds = {sources[source].kinds.get(column, "") for source, column in pairs} - {""}
    return ViewFeature(
        name=name,
        type=type,
        cls=highest(sources[source].cls(column) for source, column in pairs),
        kind=kinds.pop() if len(kinds) == 1 else "",
        lineage=origin,
    )


@router.get("")
async def feature_views(call: Annotated[Call, governed("features.view.list", delegable=True)]) -> list[ViewOut]:
    await call.authorize(Object(type="view", id="*"))
    return [ViewOut(**one) for one in await views.feature_views(call.views)]


@router.get("/{view_id}", responses=problems(NotFound))
async def feature_view(view_id: Id, call: Annotated[Call, governed("features.view.read", delegable=True)]) -> ViewOut:
    await call.authorize(Object(type="view", id=view_id))
    found = await views.feature_views(call.views, view_id)
    if not found:
        raise NotFound(f"there is no view {view_id}")
    return ViewOut(**found[0])
