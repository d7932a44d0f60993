"""Lineage over HTTP: OpenLineage events of a ledger, page by page, and what built a thing."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from letopis.audit.lineage.graph import Graph, Step
from letopis.audit.lineage.openlineage import LEDGERS, MADE, events
from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, media, problems

router = APIRouter(prefix="/v1/lineage", tags=["lineage"])
PRODUCER = "urn:letopis:audit"


class ThingUnknown(NotFound):
    """No recorded fact made or took a thing of this name."""

    code = "lineage.thing_unknown"
    title = "Nothing of this name is in the lineage; names are source/, view/, dataset/, version/ and file/ with an id"


class StepOut(BaseModel):
    """`place` is the fact that says so; `code` the commit, `sql` the statement, where they are known."""

    job: str
    inputs: list[str]
    outputs: list[str]
    at: str
    place: str
    code: str
    sql: str


class LineageOut(BaseModel):
    """`behind`: every step that led to it, the nearest first; `ahead`: every step that used it."""

    name: str
    behind: list[StepOut]
    ahead: list[StepOut]


class UnusedOut(BaseModel):
    """Sources, views and data sets of which nothing was ever made, with what made them."""

    name: str
    made_by: str
    at: str
    place: str


@router.get("/events", response_class=media("application/x-ndjson"))
async def told(
    call: Annotated[Call, governed("audit.lineage.read")],
    ledger: Annotated[Literal["features", "inference", "registry"], Query()],
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """OpenLineage events, a line each; header Letopis-Position says after which position to ask next."""
    await call.authorize(Object(type="ledger", id=ledger))
    copies = call.resources.copies
    upto = min(await copies.head(ledger), after + limit)
    records = await copies.typed(ledger, after, upto, sorted(MADE))
    namespace = _namespace(call)
    lines = [msgspec.json.encode(one) + b"\n" for record in records for one in events(record, namespace, PRODUCER)]
    headers = {"Letopis-Position": f"{ledger}/{upto}"}
    return Response(b"".join(lines), media_type="application/x-ndjson", headers=headers)


@router.get("/unused")
async def unused(call: Annotated[Call, governed("audit.lineage.read")]) -> list[UnusedOut]:
    """What was built and never used in building anything."""
    await call.authorize(Object(type="lineage", id="*"))
    graph = await _graph(call)
    makers = [(one, graph.makers[one]) for one in graph.unused()]
    return [UnusedOut(name=name, made_by=step.job, at=step.at, place=step.place) for name, step in makers]


@router.get("/things/{name:path}", responses=problems(ThingUnknown))
async def thing(name: str, call: Annotated[Call, governed("audit.lineage.read")]) -> LineageOut:
    """What built this, back to the extracts, and what uses it."""
    await call.authorize(Object(type="lineage", id=name))
    graph = await _graph(call)
    if not graph.knows(name):
        raise ThingUnknown(name)
    return LineageOut(name=name, behind=_out(graph.upstream(name)), ahead=_out(graph.downstream(name)))


async def _graph(call: Call) -> Graph:
    """All of it is read each time: what builds things is few facts among many."""
    found: list[tuple[str, dict[str, Any]]] = []
    copies, namespace = call.resources.copies, _namespace(call)
    for ledger in LEDGERS:
        records = await copies.of_types(ledger, MADE, await copies.head(ledger))
        found += [
            (f"{one.ledger}/{one.position}", event) for one in records for event in events(one, namespace, PRODUCER)
        ]
    return await asyncio.to_thread(Graph.of, found)


def _namespace(call: Call) -> str:
    return f"letopis://{call.resources.settings.origin}"


def _out(steps: list[Step]) -> list[StepOut]:
    return [StepOut(**asdict(one)) for one in steps]
