"""Reports: issued at signed positions, and read; each leaves a fact."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from letopis.audit.log.sealed import NotSealedYet
from letopis.audit.report import issuing, views
from letopis.audit.report.decider import REPORT, ReadReport, ReportDiffers, ReportUnknown
from letopis.common.errors import LedgerHole, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems

router = APIRouter(prefix="/v1/reports", tags=["report"])


class ReportIn(Body):
    """`positions` by ledger; what is left out is the newest signed one."""

    type: Literal["model_inventory"] = "model_inventory"
    positions: dict[str, Annotated[int, Field(ge=0, le=2**53)]] | None = None


class ReportOut(BaseModel):
    report_id: str
    type: str
    schema_version: int
    positions: dict[str, int]
    roots: dict[str, str]
    generator_sha256: str
    sha256: str
    csv_sha256: str
    bytes: int
    rows: int
    by: str
    issued_at: str
    times_issued: int
    times_read: int


@router.post(
    "", status_code=201, response_model=Receipt, responses=problems(NotSealedYet, ReportDiffers, NotFound, LedgerHole)
)
async def issue(body: ReportIn, call: Annotated[Call, governed("audit.report.issue", deadline=120)]) -> Response:
    authorization = await call.authorize(Object(type="report", id=body.type))
    resources: Any = call.resources
    report = await issuing.model_inventory(resources.copies, resources.log, body.positions)
    # The bytes are kept before the fact that names them; without the fact nobody can ask for them.
    await asyncio.to_thread(resources.objects.put, report.document)
    await asyncio.to_thread(resources.objects.put, report.table)
    handled = await call.handle(REPORT, report.report_id, report.issued(call.caller.person), authorization)
    return call.receipt(handled)


@router.get("")
async def issued(call: Annotated[Call, governed("audit.report.list")]) -> list[ReportOut]:
    await call.authorize(Object(type="report", id="*"))
    return [ReportOut(**one) for one in await views.everything(call.views)]


@router.get("/{report_id}", responses=problems(ReportUnknown) | {200: {"content": {"text/csv": {}}}})
async def read(
    report_id: str,
    call: Annotated[Call, governed("audit.report.read", read=False)],
    format: Annotated[Literal["json", "csv"], Query()] = "json",
) -> Response:
    """The report's bytes as they were issued; reading is a fact."""
    authorization = await call.authorize(Object(type="report", id=report_id))
    command = ReadReport(report_id=report_id, format=format, by=call.caller.person)
    handled = await call.handle(REPORT, report_id, command, authorization)
    fact = REPORT.facts.decode(handled.records[-1].type, 1, handled.records[-1].data)
    data = await asyncio.to_thread(call.resources.objects.get, fact.sha256)
    kind = "text/csv; charset=utf-8" if format == "csv" else "application/json"
    return Response(data, media_type=kind, headers={"Letopis-Position": f"audit/{handled.position}"})
