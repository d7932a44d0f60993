"""Drills over HTTP: commit to a plan nobody sees, reveal it, read what caught what."""

from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from letopis.audit.drill import views
from letopis.audit.drill.catching import Catching
from letopis.audit.drill.decider import (
    DRILL,
    CommitDrill,
    DrillExists,
    DrillRevealedBefore,
    DrillUnknown,
    InjectedEarlier,
    PlanAltered,
    RevealDrill,
)
from letopis.audit.drill.plan import NotAPlan, parse_plan
from letopis.common.errors import Invalid
from letopis.common.http import Body, Call, Object, Receipt, governed, problems

router = APIRouter(prefix="/v1/drills", tags=["drill"])
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Salt = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Id = Annotated[str, Path(max_length=64)]


class PlanUnreadable(Invalid):
    """The plan cannot be read."""

    code = "drill.plan_unreadable"
    title = "The plan cannot be read; the detail says why"


class CommitmentIn(Body):
    """SHA-256 over `letopis-drill-v1`, a salt and the plan, each on a line; keep plan and salt to yourself."""

    commitment: Hash


class RevealIn(Body):
    """`plan` is the exact text that was committed to; `injected` says when each injection was made."""

    plan: Annotated[str, Field(max_length=100_000)]
    salt: Salt
    injected: dict[str, AwareDatetime]


class CatchOut(BaseModel):
    injection: str
    what: str
    caught: bool
    place: str
    event_id: str
    seconds: float | None


class DrillOut(BaseModel):
    drill_id: str
    state: str
    commitment: str
    committed_by: str
    committed_at: str
    title: str
    caught: int | None
    missed: int | None
    catches: list[CatchOut]


@router.post("", status_code=201, response_model=Receipt, responses=problems(DrillExists))
async def commit(body: CommitmentIn, call: Annotated[Call, governed("audit.drill.commit")]) -> Response:
    """From here on, whatever is injected was planned before."""
    id = call.new_id()
    authorization = await call.authorize(Object(type="drill", id=id))
    command = CommitDrill(drill_id=id, commitment=body.commitment, by=call.caller.person)
    return call.receipt(await call.handle(DRILL, id, command, authorization))


@router.post(
    "/{drill_id}/reveals",
    status_code=201,
    response_model=Receipt,
    responses=problems(DrillUnknown, DrillRevealedBefore, PlanAltered, PlanUnreadable, InjectedEarlier),
)
async def reveal(drill_id: Id, body: RevealIn, call: Annotated[Call, governed("audit.drill.reveal")]) -> Response:
    """The ledgers are searched for what caught each injection; plan, salt and catches go on record."""
    authorization = await call.authorize(Object(type="drill", id=drill_id))
    try:
        plan = parse_plan(body.plan)
    except NotAPlan as error:
        raise PlanUnreadable(str(error)) from error
    if set(body.injected) != {one.id for one in plan}:
        raise PlanUnreadable("say of each injection of the plan when it was made, and of no other")
    records = await call.resources.store.load("audit", DRILL.stream(drill_id))
    if not records:
        raise DrillUnknown
    injected = {id: at.astimezone(UTC) for id, at in body.injected.items()}
    command = RevealDrill(
        drill_id=drill_id,
        plan=body.plan,
        salt=body.salt,
        catches=await Catching(call.resources.copies).catches(plan, injected),
        committed_at=records[0].recorded_at,
        by=call.caller.person,
    )
    return call.receipt(await call.handle(DRILL, drill_id, command, authorization))


@router.get("")
async def drills(call: Annotated[Call, governed("audit.drill.list")]) -> list[DrillOut]:
    """Every drill, newest first."""
    await call.authorize(Object(type="drill", id="*"))
    found: list[dict[str, Any]] = await views.everything(call.views)
    return [DrillOut(**one) for one in found]
