"""Incidents: seen by many, closed by a person who has looked."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.audit.incident import views
from letopis.audit.incident.decider import INCIDENT, CloseIncident, CommentMissing, NothingOpen
from letopis.audit.settings import LEDGERS
from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems

router = APIRouter(prefix="/v1/incidents", tags=["incident"])


class ClosureIn(Body):
    """What was found, in words."""

    comment: Annotated[str, Field(max_length=4000)]


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
    responses=problems(NothingOpen, CommentMissing, NotFound),
)
async def close(ledger: str, body: ClosureIn, call: Annotated[Call, governed("audit.incident.close")]) -> Response:
    authorization = await call.authorize(Object(type="incident", id=ledger))
    if ledger not in LEDGERS:
        raise NotFound(f"there is no ledger {ledger}")
    command = CloseIncident(ledger=ledger, person=call.caller.person, comment=body.comment, at=call.now())
    return call.receipt(await call.handle(INCIDENT, ledger, command, authorization))
