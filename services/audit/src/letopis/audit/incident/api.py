"""Incidents: seen by many, closed by a person who has looked."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.audit.checkpoint.succession import assess
from letopis.audit.incident import views
from letopis.audit.incident.decider import (
    INCIDENT,
    ApproveContinuation,
    CloseIncident,
    CommentMissing,
    FoundOtherwise,
    FourEyesNeeded,
    NothingOpen,
    NothingRequested,
    NotRestored,
    Open,
    RequestContinuation,
    SamePerson,
)
from letopis.audit.incident.events import Continuation, ContinuationRequested
from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.ledgers import LEDGERS

router = APIRouter(prefix="/v1/incidents", tags=["incident"])


class ClosureIn(Body):
    """What was found, in words."""

    comment: Annotated[str, Field(max_length=4000)]


class ContinuationIn(Body):
    """Why the ledger may go on after a restore, in words."""

    reason: Annotated[str, Field(max_length=4000)]


class IncidentOut(BaseModel):
    ledger: str
    state: str
    kind: str
    position: int
    detail: str
    opened_at: str
    closed_by: str | None
    comment: str | None


@router.get("")
async def incidents(call: Annotated[Call, governed("audit.incident.list")]) -> list[IncidentOut]:
    await call.authorize(Object(type="incident", id="*"))
    return [IncidentOut(**one) for one in await views.everything(call.views)]


@router.post(
    "/{ledger}/closures",
    status_code=201,
    response_model=Receipt,
    responses=problems(NothingOpen, CommentMissing, FourEyesNeeded, NotFound),
)
async def close(ledger: str, body: ClosureIn, call: Annotated[Call, governed("audit.incident.close")]) -> Response:
    authorization = await call.authorize(Object(type="incident", id=ledger))
    if ledger not in LEDGERS:
        raise NotFound(f"there is no ledger {ledger}")
    command = CloseIncident(ledger=ledger, person=call.caller.person, comment=body.comment, at=call.now())
    return call.receipt(await call.handle(INCIDENT, ledger, command, authorization))


@router.post(
    "/{ledger}/continuations",
    status_code=201,
    response_model=Receipt,
    responses=problems(NothingOpen, NotRestored, CommentMissing, NotFound),
)
async def request(
    ledger: str, body: ContinuationIn, call: Annotated[Call, governed("audit.incident.request")]
) -> Response:
    """Request that a restored ledger is sealed again; what of it is lost is found now and goes into the fact."""
    authorization = await call.authorize(Object(type="incident", id=ledger), facts={"reason": body.reason})
    at = call.now()
    how = await _found(call, ledger, at)
    command = RequestContinuation(ledger=ledger, how=how, reason=body.reason.strip(), person=call.caller.person, at=at)
    return call.receipt(await call.handle(INCIDENT, ledger, command, authorization))


@router.post(
    "/{ledger}/approvals",
    status_code=201,
    response_model=Receipt,
    responses=problems(NothingOpen, NothingRequested, SamePerson, FoundOtherwise, NotFound),
)
async def approve(ledger: str, call: Annotated[Call, governed("audit.incident.approve")]) -> Response:
    """Approve what another person requested: what is lost is declared, and the ledger is sealed again."""
    asked = await _requested(call, ledger)
    authorization = await call.authorize(Object(type="incident", id=ledger), facts={"requested_by": asked.person})
    how = await _found(call, ledger, asked.at)
    command = ApproveContinuation(ledger=ledger, how=how, person=call.caller.person, at=call.now())
    return call.receipt(await call.handle(INCIDENT, ledger, command, authorization))


async def _requested(call: Call, ledger: str) -> ContinuationRequested:
    state = (await call.load(INCIDENT, ledger)).state
    if not isinstance(state, Open):
        raise NothingOpen
    if state.requested is None:
        raise NothingRequested
    return state.requested


async def _found(call: Call, ledger: str, at: datetime) -> Continuation:
    """What the copy still has; a successor is named by the time of the request, so that no name comes twice."""
    if ledger not in LEDGERS:
        raise NotFound(f"there is no ledger {ledger}")
    found = await assess(call.resources.sealer(ledger))
    return Continuation(
        sealed=found.sealed.size,
        sealed_root=found.sealed.root.hex(),
        kept=found.kept.size,
        kept_root=found.kept.root.hex(),
        closed=found.log,
        log=f"since-{at:%Y%m%dT%H%M%S%fZ}/{ledger}" if found.lost else found.log,
        lock_lost=found.lock_lost,
    )
