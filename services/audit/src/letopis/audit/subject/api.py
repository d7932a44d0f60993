"""A person's data over HTTP: search, legal hold, erasure with a second person, certificate."""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from letopis.audit.subject import views
from letopis.audit.subject.decider import (
    SUBJECT,
    ApproveErasure,
    CertifyErasure,
    ErasureUnderWay,
    LiftHold,
    NoHold,
    NotErased,
    NotRequested,
    OwnRequest,
    PlaceHold,
    ReasonMissing,
    RecordSearch,
    RejectErasure,
    RequestErasure,
    Subject,
    UnderHold,
)
from letopis.common.envelope import record_to_json, time_text
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.ledgers import LEDGERS
from letopis.common.sealing import KeysAway

router = APIRouter(prefix="/v1/subjects", tags=["subject"])

# A kind and a pseudonym: `account_id:17`, `person:anna`.
Name = Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}:[A-Za-z0-9._:-]{1,128}$")]
FORMAT = "letopis-erasure-certificate-v1"


class ReasonIn(Body):
    """Why, in a few words; the person is not named here."""

    reason: Annotated[str, Field(max_length=2000)]


class HeldOut(BaseModel):
    """Facts of one kind sealed under one key of the subject."""

    ledger: str
    type: str
    key_id: str
    facts: int
    first_position: int
    last_position: int
    first_at: str
    last_at: str


class SubjectOut(BaseModel):
    """`positions` say how far the search reached; `destroyed` keys are gone with all that they sealed."""

    subject: str
    held: bool
    erasure: str | None
    erasures: list[str]
    readable: int
    destroyed: int
    positions: dict[str, int]
    facts: list[HeldOut]


def _object(subject: str) -> Object:
    return Object(type="subject", id=subject)


@router.get("/{subject}", responses=problems(KeysAway))
async def search(subject: Name, call: Annotated[Call, governed("audit.subject.search", read=False)]) -> SubjectOut:
    """What is held on a subject, by ledger; the search itself is a fact before it is answered."""
    authorization = await call.authorize(_object(subject))
    found = await views.held(call.views, subject)
    counted = await call.resources.office.count(subject)
    positions = {ledger: await call.resources.copies.head(ledger) for ledger in LEDGERS}
    totals: dict[str, int] = {}
    for one in found:
        totals[one["ledger"]] = totals.get(one["ledger"], 0) + one["facts"]
    command = RecordSearch(subject=subject, found=totals, positions=positions, by=call.caller.person)
    await call.handle(SUBJECT, subject, command, authorization)
    state: Subject = (await call.load(SUBJECT, subject)).state
    return SubjectOut(
        subject=subject,
        held=state.held,
        erasure=state.asked.erasure_id if state.asked else None,
        erasures=list(dict.fromkeys(one for one, _ in state.erased)),
        readable=counted.living,
        destroyed=counted.destroyed,
        positions=positions,
        facts=[HeldOut(**{name: one[name] for name in HeldOut.model_fields}) for one in found],
    )


@router.post(
    "/{subject}/holds", status_code=201, response_model=Receipt, responses=problems(ReasonMissing, ErasureUnderWay)
)
async def place_hold(subject: Name, body: ReasonIn, call: Annotated[Call, governed("audit.subject.hold")]) -> Response:
    authorization = await call.authorize(_object(subject))
    command = PlaceHold(subject=subject, reason=body.reason, by=call.caller.person, at=call.now())
    return call.receipt(await call.handle(SUBJECT, subject, command, authorization))


@router.post(
    "/{subject}/hold-releases", status_code=201, response_model=Receipt, responses=problems(ReasonMissing, NoHold)
)
async def lift_hold(subject: Name, body: ReasonIn, call: Annotated[Call, governed("audit.subject.lift")]) -> Response:
    authorization = await call.authorize(_object(subject))
    command = LiftHold(subject=subject, reason=body.reason, by=call.caller.person, at=call.now())
    return call.receipt(await call.handle(SUBJECT, subject, command, authorization))


@router.post(
    "/{subject}/erasures",
    status_code=201,
    response_model=Receipt,
    responses=problems(ReasonMissing, UnderHold, ErasureUnderWay),
)
async def request_erasure(
    subject: Name, body: ReasonIn, call: Annotated[Call, governed("audit.subject.request")]
) -> Response:
    """The fact in the receipt names the erasure's number."""
    authorization = await call.authorize(_object(subject))
    command = RequestErasure(
        subject=subject, erasure_id=call.new_id(), reason=body.reason, by=call.caller.person, at=call.now()
    )
    return call.receipt(await call.handle(SUBJECT, subject, command, authorization))


@router.post(
    "/{subject}/erasures/{erasure_id}/approvals",
    status_code=201,
    response_model=Receipt,
    responses=problems(NotRequested, OwnRequest, UnderHold),
)
async def approve_erasure(
    subject: Name, erasure_id: str, call: Annotated[Call, governed("audit.subject.approve")]
) -> Response:
    """The keys are destroyed within seconds of this; the fact SubjectKeyDestroyed says when."""
    authorization = await call.authorize(_object(subject), facts={"requester": await _requester(call, subject)})
    command = ApproveErasure(subject=subject, erasure_id=erasure_id, by=call.caller.person, at=call.now())
    return call.receipt(await call.handle(SUBJECT, subject, command, authorization))


@router.post(
    "/{subject}/erasures/{erasure_id}/rejections",
    status_code=201,
    response_model=Receipt,
    responses=problems(NotRequested, ReasonMissing),
)
async def reject_erasure(
    subject: Name, erasure_id: str, body: ReasonIn, call: Annotated[Call, governed("audit.subject.reject")]
) -> Response:
    authorization = await call.authorize(_object(subject))
    command = RejectErasure(
        subject=subject, erasure_id=erasure_id, reason=body.reason, by=call.caller.person, at=call.now()
    )
    return call.receipt(await call.handle(SUBJECT, subject, command, authorization))


@router.get("/{subject}/erasures/{erasure_id}/certificate", responses=problems(NotErased))
async def certificate(
    subject: Name, erasure_id: str, call: Annotated[Call, governed("audit.subject.certify", read=False)]
) -> Response:
    """JSON made of the ledger's own records; its SHA-256 is recorded before it is handed out."""
    authorization = await call.authorize(_object(subject))
    body = await _certificate(call, subject, erasure_id)
    command = CertifyErasure(
        subject=subject, erasure_id=erasure_id, sha256=sha256(body).hexdigest(), by=call.caller.person
    )
    await call.handle(SUBJECT, subject, command, authorization)
    return Response(body, media_type="application/json")


async def _requester(call: Call, subject: str) -> str:
    state: Subject = (await call.load(SUBJECT, subject)).state
    if state.asked is None:
        raise NotRequested
    return state.asked.by


async def _certificate(call: Call, subject: str, erasure_id: str) -> bytes:
    """The steps of the erasure with their places in the audit ledger, and what is unreadable since."""
    records = await call.resources.store.load("audit", SUBJECT.stream(subject))
    steps = [one for one in records if msgspec.json.decode(one.data).get("erasure_id") == erasure_id]
    steps = [one for one in steps if one.type != "audit.subject.erasure_certified"]
    keys = sorted({id for one in steps for id in msgspec.json.decode(one.data).get("key_ids", [])})
    found: list[dict[str, Any]] = [one for one in await views.held(call.views, subject) if one["key_id"] in keys]
    document = {
        "format": FORMAT,
        "subject": subject,
        "erasure_id": erasure_id,
        "keys_destroyed": keys,
        "unreadable": [{name: one[name] for name in HeldOut.model_fields} for one in found],
        "steps": [
            {"type": one.type, "position": one.position, "recorded_at": time_text(one.recorded_at)} for one in steps
        ],
        "records": [record_to_json(one) for one in steps],
        "statement": (
            "Every value sealed under these keys is unreadable. The facts, their hashes and every proof stand; "
            "each record is proved by GET /v1/evidence/{event_id}."
        ),
    }
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2)
