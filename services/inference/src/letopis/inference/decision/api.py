"""Decisions over HTTP: one, with its record and the authorization it rests on; or a list."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel

from letopis.common.envelope import record_to_json, time_text
from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.inference.decision import views

router = APIRouter(prefix="/v1/decisions", tags=["decision"])


class DecisionOut(BaseModel):
    """The fact exactly as recorded, with its place in the ledger; `lease` names the grant it was made under.

    `record` is the stored row itself: whoever holds it can compute the leaf and hold it against the signed tree.
    """

    decision_id: str
    ledger: str
    position: int
    stream: str
    recorded_at: str
    actor: dict[str, Any]
    purpose: str
    lease: str
    data: dict[str, Any]
    record: dict[str, str]


class DecisionLine(BaseModel):
    decision_id: str
    position: int
    application: str
    api_version: str
    version_id: str
    entity_id: str
    score: float
    decision: str
    decided_at: str
    as_of: str | None
    job_id: str


@router.get("", responses=problems())
async def decisions(
    call: Annotated[Call, governed("inference.decision.list")],
    application: str = "",
    entity_id: str = "",
    decision: str = "",
    job_id: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[DecisionLine]:
    await call.authorize(Object(type="decision", id="*"))
    wanted = views.Wanted(application=application, entity_id=entity_id, decision=decision, job_id=job_id, limit=limit)
    found = await views.decisions(call.views, wanted)
    return [DecisionLine(**{**row, "decision_id": str(row["decision_id"])}) for row in found]


@router.get("/{decision_id}", responses=problems(NotFound))
async def decision(decision_id: UUID, call: Annotated[Call, governed("inference.decision.read")]) -> DecisionOut:
    await call.authorize(Object(type="decision", id=str(decision_id)))
    position = await views.position_of(call.views, decision_id)
    if position is None:
        raise NotFound(f"there is no decision {decision_id}; it may not have been shipped to the ledger yet")
    (record,) = await call.resources.store.read("decisions", position - 1, 1)
    meta = msgspec.json.decode(record.meta)
    authorization = meta.get("authorization") or {}
    return DecisionOut(
        decision_id=str(record.event_id),
        ledger=record.ledger,
        position=record.position,
        stream=record.stream,
        recorded_at=time_text(record.recorded_at),
        actor=meta["actor"],
        purpose=meta["purpose"],
        lease=authorization.get("lease", ""),
        data=msgspec.json.decode(record.data),
        record=record_to_json(record),
    )
