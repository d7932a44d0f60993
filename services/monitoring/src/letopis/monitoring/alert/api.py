"""Alerts are read, acknowledged and resolved."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.monitoring.alert import views
from letopis.monitoring.alert.decider import (
    ALERT,
    AcknowledgeAlert,
    AlertOver,
    AlertTaken,
    AlertUnknown,
    CommentMissing,
    Open,
    ResolveAlert,
)
from letopis.monitoring.alert.events import Verdict

router = APIRouter(prefix="/v1/alerts", tags=["alert"])

Comment = Annotated[str, Field(max_length=4000)]


class AcknowledgementIn(Body):
    comment: Comment = ""


class ResolutionIn(Body):
    """confirmed: it was real; false_alarm; accepted: real, and to be lived with."""

    verdict: Verdict
    comment: Comment


class AlertOut(BaseModel):
    alert_id: str
    episode: int
    state: str
    model_id: str
    version_id: str
    kind: str
    check: str
    feature: str
    level: str
    first_bucket: str
    bucket: str
    severity: str
    text: str
    measure: str
    old: float
    new: float
    old_rows: int
    new_rows: int
    opened_at: datetime
    position: int
    acknowledged_by: str | None
    resolved_by: str | None
    verdict: str | None
    comment: str | None


@router.get("")
async def alerts(
    call: Annotated[Call, governed("monitoring.alert.list")],
    state: Annotated[Literal["open", "acknowledged", "resolved"] | None, Query()] = None,
    version_id: Annotated[str | None, Query(max_length=128)] = None,
) -> list[AlertOut]:
    await call.authorize(Object(type="alert", id="*"))
    found = await views.alerts(call.views, state=state, version_id=version_id)
    return [AlertOut(**dict(row)) for row in found]


@router.get("/{alert_id}", responses=problems(NotFound))
async def alert(alert_id: UUID, call: Annotated[Call, governed("monitoring.alert.list")]) -> AlertOut:
    await call.authorize(Object(type="alert", id=str(alert_id)))
    found = await views.alerts(call.views, alert_id=str(alert_id))
    if not found:
        raise NotFound(f"there is no alert {alert_id}")
    return AlertOut(**dict(found[0]))


@router.post(
    "/{alert_id}/acknowledgements",
    status_code=201,
    response_model=Receipt,
    responses=problems(AlertUnknown, AlertTaken, AlertOver),
)
async def acknowledge(
    alert_id: UUID, body: AcknowledgementIn, call: Annotated[Call, governed("monitoring.alert.acknowledge")]
) -> Response:
    authorization = await call.authorize(Object(type="alert", id=str(alert_id)))
    command = AcknowledgeAlert(person=call.caller.person, comment=body.comment, at=call.now())
    return call.receipt(await call.handle(ALERT, str(alert_id), command, authorization))


@router.post(
    "/{alert_id}/resolutions",
    status_code=201,
    response_model=Receipt,
    responses=problems(AlertUnknown, AlertOver, CommentMissing),
)
async def resolve(
    alert_id: UUID, body: ResolutionIn, call: Annotated[Call, governed("monitoring.alert.resolve")]
) -> Response:
    state = (await call.load(ALERT, str(alert_id))).state
    # Nothing is at stake in an alert that is not open; the decider says so.
    severity = state.severity if isinstance(state, Open) else "major"
    authorization = await call.authorize(Object(type="alert", id=str(alert_id)), facts={"severity": severity})
    command = ResolveAlert(person=call.caller.person, verdict=body.verdict, comment=body.comment, at=call.now())
    return call.receipt(await call.handle(ALERT, str(alert_id), command, authorization))
