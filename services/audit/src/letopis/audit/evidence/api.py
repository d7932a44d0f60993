"""Evidence: one fact with its proof, proofs alone, and packs for whoever checks us offline."""

import asyncio
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from letopis.audit.evidence.assembling import Assembler, Issued, Period, Scope, ScopeUnknown
from letopis.audit.evidence.decider import (
    EVIDENCE,
    PACK,
    MakePack,
    PackExists,
    PackUnknown,
    ReadEvidence,
    ReadPack,
)
from letopis.audit.evidence.page import verify_html
from letopis.audit.log.sealed import NotSealedYet
from letopis.audit.report.decider import ReportUnknown
from letopis.audit.report.handing import issued_report
from letopis.audit.report.scoping import FactUnknown, NoDecision, Scoping, TooMany
from letopis.common.envelope import record_to_json, time_text
from letopis.common.errors import Invalid, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, media, problems, public
from letopis.common.leaf import leaf_bytes, leaf_hash
from letopis.common.ledgers import LEDGERS

router = APIRouter(prefix="/v1", tags=["evidence"])

Id = Annotated[str, Field(max_length=200)]
Position = Annotated[int, Field(ge=0, le=2**53)]


class ScopeMissing(Invalid):
    """A pack is about something."""

    code = "pack.scope_missing"
    title = "Name a model_id, version_id, promotion_id, decision_id or report_id, events, or a period"


class PeriodIn(Body):
    """All facts of these ledgers recorded on these days (UTC), both whole."""

    ledgers: Annotated[list[Literal[*LEDGERS]], Field(min_length=1)]  # type: ignore[valid-type]
    first_day: date
    last_day: date


class PackIn(Body):
    """What the pack is about. `kept` names sizes of checkpoints the reader keeps: proofs from them are put in."""

    model_id: Id = ""
    version_id: Id = ""
    promotion_id: Id = ""
    decision_id: Id = ""
    report_id: Id = ""
    period: PeriodIn | None = None
    events: Annotated[list[Id], Field(max_length=10_000)] = []
    kept: dict[str, Annotated[list[Position], Field(max_length=100)]] = {}


class EvidenceOut(BaseModel):
    """A stored fact, its leaf, and the way from there to the signed root (hashes in hex)."""

    record: dict[str, str]
    leaf: str
    leaf_hash: str
    size: int
    root: str
    hashes: list[str]
    checkpoint: str
    key: str


class InclusionOut(BaseModel):
    ledger: str
    position: int
    size: int
    root: str
    hashes: list[str]


class ConsistencyOut(BaseModel):
    ledger: str
    old: int
    size: int
    old_root: str
    root: str
    hashes: list[str]


@router.get("/evidence/{event_id}", responses=problems(FactUnknown, NotSealedYet))
async def read(event_id: str, call: Annotated[Call, governed("audit.evidence.read", read=False)]) -> EvidenceOut:
    """One fact of any ledger with its proof; showing it is a fact."""
    authorization = await call.authorize(Object(type="fact", id=event_id))
    log = call.resources.log
    record = await Scoping(copies=call.resources.copies, log=log).find(event_id)
    head = await asyncio.to_thread(log.head, record.ledger)
    proof = await asyncio.to_thread(log.prove, record, head)
    command = ReadEvidence(event_id=event_id, ledger=record.ledger, position=record.position, by=call.caller.person)
    await call.handle(EVIDENCE, event_id, command, authorization)
    return EvidenceOut(
        record=record_to_json(record),
        leaf=leaf_bytes(record).decode(),
        leaf_hash=leaf_hash(record).hex(),
        size=head.size,
        root=head.root.hex(),
        hashes=[one.hex() for one in proof],
        checkpoint=log.note(record.ledger),
        key=log.signer(record.ledger).verifier().text(),
    )


@router.get("/verify.html", response_class=media("text/html"))
@public
async def verifying_page() -> Response:
    """The page that checks such evidence in a browser, alone; save it, it needs no network."""
    headers = {"Content-Disposition": 'attachment; filename="verify.html"'}
    return Response(verify_html(), media_type="text/html; charset=utf-8", headers=headers)


@router.get("/proofs/inclusion", responses=problems(NotSealedYet, NotFound))
async def inclusion(
    call: Annotated[Call, governed("audit.log.prove")],
    ledger: Annotated[str, Query()],
    position: Annotated[int, Query(ge=1)],
    size: Annotated[int | None, Query(ge=1)] = None,
) -> InclusionOut:
    """That a position is in the tree of `size` (the published one); RFC 6962 section 2.1.1, leaf upwards."""
    await call.authorize(Object(type="ledger", id=ledger))
    log = call.resources.log
    size = size or (await asyncio.to_thread(log.head, ledger)).size
    proof = await asyncio.to_thread(log.inclusion, ledger, position, size)
    root = await asyncio.to_thread(log.root, ledger, size)
    hashes = [one.hex() for one in proof]
    return InclusionOut(ledger=ledger, position=position, size=size, root=root.hex(), hashes=hashes)


@router.get("/proofs/consistency", responses=problems(NotSealedYet, NotFound))
async def consistency(
    call: Annotated[Call, governed("audit.log.prove")],
    ledger: Annotated[str, Query()],
    old: Annotated[int, Query(ge=0)],
    size: Annotated[int | None, Query(ge=0)] = None,
) -> ConsistencyOut:
    """That the tree of `old` is the beginning of the tree of `size` (the published one); RFC 6962 section 2.1.2."""
    await call.authorize(Object(type="ledger", id=ledger))
    log = call.resources.log
    size = (await asyncio.to_thread(log.head, ledger)).size if size is None else size
    proof = await asyncio.to_thread(log.consistency, ledger, old, size)
    old_root = await asyncio.to_thread(log.root, ledger, old)
    root = await asyncio.to_thread(log.root, ledger, size)
    return ConsistencyOut(
        ledger=ledger,
        old=old,
        size=size,
        old_root=old_root.hex(),
        root=root.hex(),
        hashes=[one.hex() for one in proof],
    )


@router.post(
    "/packs",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        ScopeMissing, TooMany, FactUnknown, NoDecision, ScopeUnknown, ReportUnknown, NotSealedYet, PackExists
    ),
)
async def make(body: PackIn, call: Annotated[Call, governed("audit.evidence.export", deadline=300)]) -> Response:
    period = Period(**body.period.model_dump()) if body.period else None
    scope = Scope(**body.model_dump(exclude={"period"}), period=period)
    if not scope:
        raise ScopeMissing
    pack_id = str(call.command_id)
    attributes: dict[str, Any] = {"model_id": scope.model_id, "decision_id": scope.decision_id}
    authorization = await call.authorize(Object(type="pack", id=pack_id, attributes=attributes))
    issued = await _issued(call, scope.report_id) if scope.report_id else None
    made = await _assembler(call).assemble(pack_id, time_text(call.now()), scope, issued)
    digest = await asyncio.to_thread(call.resources.objects.put, made.data)
    command = MakePack(
        pack_id=pack_id,
        scope=scope.told(),
        positions=made.positions,
        excerpts=made.excerpts,
        report_sha256=sha256(made.report.document).hexdigest(),
        sha256=digest,
        bytes=len(made.data),
        by=call.caller.person,
    )
    return call.receipt(await call.handle(PACK, pack_id, command, authorization))


@router.get("/packs/{pack_id}", response_class=media("application/zip"), responses=problems(PackUnknown))
async def download(
    pack_id: str, call: Annotated[Call, governed("audit.evidence.download", read=False, deadline=300)]
) -> Response:
    """The pack's bytes as they were made; handing it out is a fact."""
    authorization = await call.authorize(Object(type="pack", id=pack_id))
    command = ReadPack(pack_id=pack_id, by=call.caller.person)
    handled = await call.handle(PACK, pack_id, command, authorization)
    fact = PACK.facts.decode(handled.records[-1].type, 1, handled.records[-1].data)
    data = await asyncio.to_thread(call.resources.objects.get, fact.sha256)
    headers = {
        "Letopis-Position": f"audit/{handled.position}",
        "Content-Disposition": f'attachment; filename="letopis-pack-{pack_id}.zip"',
    }
    return Response(data, media_type="application/zip", headers=headers)


async def _issued(call: Call, report_id: str) -> Issued:
    """A report as it was issued, with its pages and envelope."""
    fact, envelope = await issued_report(call.resources, report_id)
    objects = call.resources.objects
    pages = {language: await asyncio.to_thread(objects.get, one) for language, one in fact.pdf_sha256.items()}
    return Issued(type=fact.type, asked=fact.scope, positions=fact.positions, pages=pages, envelope=envelope)


def _assembler(call: Call) -> Assembler:
    resources = call.resources
    return Assembler(
        copies=resources.copies,
        log=resources.log,
        signer=resources.signer,
        shelf=resources.shelf,
        ledgers=LEDGERS,
    )
