"""Queries through the gateway, and who read what."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from letopis.common.http import Body, Call, Object, governed, problems
from letopis.features.query import views
from letopis.features.query.gate import ColumnsDisagree, ColumnUnknown, FunctionNotAllowed, ReadOnly, SqlNotUnderstood
from letopis.features.query.gateway import FULFILS, ExtractMissing, Result
from letopis.features.query.sandbox import Sandbox, SqlFailed
from letopis.features.source.decider import SourceUnknown
from letopis.features.source.lake import FileChanged

router = APIRouter(prefix="/v1", tags=["query"])

MOST_ROWS = 10_000


class QueryIn(Body):
    """One SELECT over sources. `unmask` names `source.column` to be seen in clear, under a grant that lifts masks.

    `scheduled` is for what a timetable runs: a source may bear less of that than of people who look.
    """

    sql: Annotated[str, Field(min_length=1, max_length=20_000)]
    grants: list[str] = Field(default_factory=list)
    unmask: list[str] = Field(default_factory=list)
    scheduled: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 1000


class QueryOut(BaseModel):
    """Rows as JSON: times as ISO 8601, decimals as strings, NaN and infinities as null."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    complete: bool


class ReadOut(BaseModel):
    read_id: str
    outcome: str
    kind: str
    object_id: str
    person: str
    purpose: str
    grants: list[str]
    columns: dict[str, list[str]]
    masks: dict[str, dict[str, str]]
    code: str
    rows: int | None
    bytes: int | None
    result_sha256: str | None
    at: str
    position: int


class ReaderOut(BaseModel):
    person: str
    reads: int
    denied: int
    refused: int
    rows: int
    last_at: str


@router.post(
    "/queries",
    response_model=QueryOut,
    responses=problems(
        SourceUnknown,
        ExtractMissing,
        ReadOnly,
        SqlNotUnderstood,
        FunctionNotAllowed,
        ColumnUnknown,
        ColumnsDisagree,
        SqlFailed,
        FileChanged,
    ),
)
async def run(
    body: QueryIn,
    call: Annotated[
        Call, governed("features.query.run", delegable=True, fulfils=FULFILS, ledger="access", deadline=60)
    ],
) -> Response:
    """Run a statement; the read is a fact before the first row leaves, its end another before the answer does."""
    gateway = call.resources.gateway
    plan = await gateway.plan(call, {"query": body.sql})
    object = Object(type="query", id=plan.statements["query"].sql_hash if plan.statements else "")
    permit = await gateway.permit(call, plan, object, grants=body.grants, unmask=body.unmask, scheduled=body.scheduled)

    def work(sandbox: Sandbox) -> Result[bytes]:
        sandbox.keep("__result", body.sql)
        table = sandbox.query(f'SELECT * FROM "__result" LIMIT {body.limit + 1}')
        shown = table.slice(0, body.limit)
        answer = msgspec.json.encode(
            {
                "columns": table.column_names,
                "types": list(sandbox.columns("__result").values()),
                "rows": [[plain(value) for value in row.values()] for row in shown.to_pylist()],
                "complete": table.num_rows <= body.limit,
            }
        )
        return Result(value=answer, rows=shown.num_rows, bytes=len(answer), sha256=sha256(answer).hexdigest())

    done = await gateway.read(call, permit, "query", object.id, work)
    headers = {"Letopis-Read": done.read_id, "Letopis-Position": f"access/{done.position}"}
    return Response(done.value, media_type="application/json", headers=headers)


@router.get("/reads")
async def reads(
    call: Annotated[Call, governed("features.query.list", ledger="access")],
    person: str | None = None,
    outcome: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[ReadOut]:
    """Offline reads, refusals and denials, newest first."""
    await call.authorize(Object(type="read", id="*"))
    return [ReadOut(**one) for one in await views.reads(call.views, person=person, outcome=outcome, limit=limit)]


@router.get("/readers")
async def readers(call: Annotated[Call, governed("features.query.list", ledger="access")]) -> list[ReaderOut]:
    """How much each person read."""
    await call.authorize(Object(type="read", id="*"))
    return [ReaderOut(**one) for one in await views.readers(call.views)]


def plain(value: Any) -> Any:
    """A value as JSON tells it."""
    match value:
        case float():
            return value if isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return str(value)
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case _:
            return value
