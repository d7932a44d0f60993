"""Schedules over HTTP: set, stopped, listed."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from letopis.audit.report.issuing import ScopeWrong
from letopis.audit.report.shelf import TypeUnknown
from letopis.audit.schedule import views
from letopis.audit.schedule.decider import SCHEDULE, ScheduleUnknown, SetSchedule, StopSchedule
from letopis.audit.schedule.events import Every
from letopis.common.http import Body, Call, Object, Receipt, governed, problems

router = APIRouter(prefix="/v1/report-schedules", tags=["schedule"])
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class ScheduleIn(Body):
    """After every such period (UTC) a report of the type is issued about it, and put where it is fetched."""

    type: Annotated[str, Field(max_length=63)]
    every: Every


class StopIn(Body):
    reason: Annotated[str, Field(min_length=3, max_length=2000)]


class ScheduleOut(BaseModel):
    schedule_id: str
    type: str
    every: str
    state: str
    by: str
    set_at: str
    last_report_id: str
    last_day: str
    place: str


@router.put("/{schedule_id}", status_code=201, response_model=Receipt, responses=problems(TypeUnknown, ScopeWrong))
async def set_(schedule_id: Name, body: ScheduleIn, call: Annotated[Call, governed("audit.schedule.set")]) -> Response:
    authorization = await call.authorize(Object(type="schedule", id=schedule_id))
    if call.resources.shelf.definition(body.type).scope:
        raise ScopeWrong("a report about one thing has no calendar")
    command = SetSchedule(
        schedule_id=schedule_id, type=body.type, every=body.every, by=call.caller.person, at=call.now()
    )
    return call.receipt(await call.handle(SCHEDULE, schedule_id, command, authorization))


@router.post("/{schedule_id}/stops", status_code=201, response_model=Receipt, responses=problems(ScheduleUnknown))
async def stop(schedule_id: Name, body: StopIn, call: Annotated[Call, governed("audit.schedule.stop")]) -> Response:
    authorization = await call.authorize(Object(type="schedule", id=schedule_id))
    command = StopSchedule(schedule_id=schedule_id, reason=body.reason, by=call.caller.person)
    return call.receipt(await call.handle(SCHEDULE, schedule_id, command, authorization))


@router.get("")
async def schedules(call: Annotated[Call, governed("audit.schedule.list")]) -> list[ScheduleOut]:
    await call.authorize(Object(type="schedule", id="*"))
    return [ScheduleOut(**one) for one in await views.everything(call.views)]
