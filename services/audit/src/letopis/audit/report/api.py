"""Reports: issued at signed positions, handed out with their signed envelope; each leaves a fact."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from letopis.audit.log.sealed import NotSealedYet
from letopis.audit.report import document, views
from letopis.audit.report.decider import REPORT, FormatUnknown, ReadReport, ReportDiffers, ReportUnknown
from letopis.audit.report.definition import Definition
from letopis.audit.report.handing import issued_report, kept
from letopis.audit.report.issuing import Issuing, ScopeWrong
from letopis.audit.report.schema import schema
from letopis.audit.report.scoping import FactUnknown, NoDecision
from letopis.audit.report.shelf import TypeUnknown
from letopis.common.errors import LedgerHole, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.ledgers import LEDGERS

router = APIRouter(prefix="/v1", tags=["report"])
KINDS = {"json": "application/json", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


class SectionUnknown(NotFound):
    """The report has no section of this name."""

    code = "report.section_unknown"
    title = "The report has no such section; GET /v1/report-types lists them"


class ReportIn(Body):
    """`positions` by ledger; what is left out is the newest signed one. `scope` says what the report is about, and its
    period by `first_day` and `last_day`.
    """

    type: Annotated[str, Field(max_length=63)] = "model_inventory"
    scope: dict[Annotated[str, Field(max_length=63)], Annotated[str, Field(max_length=200)]] = {}
    positions: dict[str, Annotated[int, Field(ge=0, le=2**53)]] | None = None


class ReportOut(BaseModel):
    report_id: str
    type: str
    schema_version: int
    scope: dict[str, str]
    positions: dict[str, int]
    roots: dict[str, str]
    generator_sha256: str
    sha256: str
    csv_sha256: str
    languages: list[str]
    bytes: int
    rows: int
    checks: dict[str, int]
    by: str
    issued_at: str
    times_issued: int
    times_read: int


class TypeOut(BaseModel):
    """A report that can be asked for; texts in both languages."""

    type: str
    schema_version: int
    title: dict[str, str]
    lead: dict[str, str]
    jurisdiction: list[str]
    scope: list[str]
    ledgers: list[str]
    sections: list[str]
    checks: list[str]
    sources: int
    unchecked_sources: int
    definition_sha256: str


def told(one: Definition) -> TypeOut:
    return TypeOut(
        type=one.type,
        schema_version=one.schema_version,
        title=dict(one.title),
        lead=dict(one.lead),
        jurisdiction=list(one.jurisdiction),
        scope=list(one.scope),
        ledgers=sorted({*one.ledgers, *one.excerpts}),
        sections=[section.id for section in one.sections],
        checks=[check.id for check in one.checks],
        sources=len(one.sources),
        unchecked_sources=sum(not source["checked"] for source in one.sources),
        definition_sha256=one.sha256,
    )


@router.get("/report-types")
async def types(call: Annotated[Call, governed("audit.report.list")]) -> list[TypeOut]:
    """The reports at hand: those shipped, and the bank's own."""
    await call.authorize(Object(type="report", id="*"))
    return [told(one) for _, one in sorted(call.resources.shelf.definitions.items())]


@router.get("/report-types/{type}/schema", responses=problems(TypeUnknown))
async def type_schema(type: str, call: Annotated[Call, governed("audit.report.list")]) -> dict[str, Any]:
    """The JSON Schema of reports of a type."""
    await call.authorize(Object(type="report", id=type))
    return schema(call.resources.shelf.definition(type))


@router.post(
    "/reports",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        TypeUnknown, ScopeWrong, FactUnknown, NoDecision, NotSealedYet, ReportDiffers, NotFound, LedgerHole
    ),
)
async def issue(body: ReportIn, call: Annotated[Call, governed("audit.report.issue", deadline=120)]) -> Response:
    authorization = await call.authorize(Object(type="report", id=body.type))
    resources: Any = call.resources
    issuing = Issuing(copies=resources.copies, log=resources.log, ledgers=LEDGERS)
    report = await issuing.make(resources.shelf.definition(body.type), body.scope, body.positions)
    report = await kept(resources.objects, report)
    handled = await call.handle(REPORT, report.report_id, report.issued(call.caller.person), authorization)
    return call.receipt(handled)


@router.get("/reports")
async def issued(call: Annotated[Call, governed("audit.report.list")]) -> list[ReportOut]:
    await call.authorize(Object(type="report", id="*"))
    return [ReportOut(**one) for one in await views.everything(call.views)]


@router.get(
    "/reports/{report_id}",
    responses=problems(ReportUnknown, FormatUnknown, SectionUnknown)
    | {200: {"content": {"text/csv": {}, "application/pdf": {}}}},
)
async def read(
    report_id: str,
    call: Annotated[Call, governed("audit.report.read", read=False)],
    format: Annotated[Literal["json", "csv", "pdf"], Query()] = "json",
    lang: Annotated[Literal["en", "ru"], Query()] = "en",
    section: Annotated[str, Query(max_length=63)] = "",
) -> Response:
    """The report's bytes as they were issued; reading is a fact. A `section` of it as CSV is made of the JSON."""
    authorization = await call.authorize(Object(type="report", id=report_id))
    form = "json" if section else f"pdf.{lang}" if format == "pdf" else format
    command = ReadReport(report_id=report_id, format=form, by=call.caller.person)
    handled = await call.handle(REPORT, report_id, command, authorization)
    record = handled.records[-1]
    fact = REPORT.facts.decode(record.type, record.schema_version, record.data)
    data = await asyncio.to_thread(call.resources.objects.get, fact.sha256)
    if section:
        data, format = _of_section(data, section), "csv"
    name = f"letopis-{report_id}{'.' + section if section else ''}.{f'{lang}.pdf' if format == 'pdf' else format}"
    headers = {
        "Letopis-Position": f"audit/{handled.position}",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(data, media_type=KINDS[format], headers=headers)


@router.get("/reports/{report_id}/envelope", responses=problems(ReportUnknown))
async def envelope(report_id: str, call: Annotated[Call, governed("audit.report.list")]) -> Response:
    """Who asked for it last, why, under which policy, of what it is a function, and its digests; signed."""
    await call.authorize(Object(type="report", id=report_id))
    _, data = await issued_report(call.resources, report_id)
    return Response(data, media_type="application/json")


def _of_section(data: bytes, section: str) -> bytes:
    try:
        return document.table(data, section)
    except StopIteration:
        raise SectionUnknown(section) from None
