"""The time machine over HTTP: one decision whole, and models, rights and reads as of a moment. Each look is a fact."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime

from letopis.audit.history import as_of
from letopis.audit.history.decider import HISTORY, ShowHistory
from letopis.audit.history.events import Question
from letopis.audit.history.exporting import lines
from letopis.audit.history.reading import DecisionUnknown, History
from letopis.common.errors import LedgerHole
from letopis.common.http import Call, Object, governed, media, problems

router = APIRouter(prefix="/v1", tags=["history"])

Moment = Annotated[AwareDatetime, AfterValidator(lambda told: told.astimezone(UTC))]
Name = Annotated[str, Query(max_length=200)]


@router.get("/decisions/{decision_id}/history", responses=problems(DecisionUnknown, LedgerHole))
async def decision(
    decision_id: str, call: Annotated[Call, governed("audit.history.decision", read=False)]
) -> dict[str, Any]:
    """What was known the second it was made: version, approvals, evidence, policy, data, alerts; and what came since.

    Inputs stay sealed here; their owner shows them to who may see them (`POST /v1/decisions/{id}/reveals`).
    """
    authorization = await call.authorize(Object(type="decision", id=decision_id))
    told, moment, positions = await _history(call).decision(decision_id)
    await _shown(call, authorization, "decision", decision_id, moment, positions)
    return told


@router.get("/as-of/models", responses=problems(LedgerHole))
async def models(
    call: Annotated[Call, governed("audit.history.models", read=False)], at: Moment, model_id: Name = ""
) -> dict[str, Any]:
    """The inventory at a moment: each model, its owner and tier, and the version in production, since when, by whom."""
    authorization = await call.authorize(Object(type="model", id=model_id or "*"))
    history, positions = _history(call), await _history(call).positions(at)
    facts = await history.of("registry", as_of.MODELS, 0, positions["registry"])
    found = [one for one in as_of.models(facts) if model_id in ("", one["model_id"])]
    await _shown(call, authorization, "models", model_id or "*", at, positions)
    return {"as_of": history.heads(at, positions), "models": found}


@router.get("/as-of/rights", responses=problems(LedgerHole))
async def rights(
    call: Annotated[Call, governed("audit.history.rights", read=False)], at: Moment, login: Name = "", role: Name = ""
) -> dict[str, Any]:
    """Who could do what at a moment: logins with roles, groups and keys, and who gave each of them."""
    authorization = await call.authorize(Object(type="login", id=login or "*"))
    history, positions = _history(call), await _history(call).positions(at)
    facts = await history.of("registry", as_of.RIGHTS, 0, positions["registry"])
    found = [one for one in as_of.rights(facts) if login in ("", one["login"]) and (not role or role in one["roles"])]
    await _shown(call, authorization, "rights", login or "*", at, positions)
    return {"as_of": history.heads(at, positions), "logins": found}


@router.get("/as-of/reads", responses=problems(LedgerHole))
async def reads(
    call: Annotated[Call, governed("audit.history.reads", read=False)],
    column: Annotated[str, Query(min_length=1, max_length=200)],
    since: Moment,
    until: Moment,
    source: Name = "",
) -> dict[str, Any]:
    """Who saw a column between two moments, and why: purpose, grant and its reason, how it was shown, what left."""
    about = f"{source or '*'}.{column}"
    authorization = await call.authorize(Object(type="column", id=about))
    history = _history(call)
    first, last = await history.positions(since), await history.positions(until)
    facts = await history.of("access", as_of.READS[:1], first["access"], last["access"], f'"{column}"')
    ends = await history.of("access", as_of.READS[1:], first["access"], await call.resources.copies.head("access"))
    grants = await history.of("features", as_of.GRANTS, 0, last["features"])
    found = as_of.reads([*facts, *ends], grants, source, column)
    await _shown(call, authorization, "reads", about, until, last)
    return {"as_of": history.heads(until, last), "since": since.isoformat(), "reads": found}


@router.get("/exports/decisions", response_class=media("application/x-ndjson"), responses=problems(LedgerHole))
async def export(
    call: Annotated[Call, governed("audit.history.export", read=False, deadline=600)],
    since: Moment,
    until: Moment,
    application: Name = "",
) -> Response:
    """The decision log between two moments, a line a decision, without production access; inputs stay sealed."""
    authorization = await call.authorize(Object(type="decisions", id=application or "*"))
    history = _history(call)
    first, last = await history.positions(since), await history.positions(until)
    await _shown(call, authorization, "decisions", application or "*", until, last)
    told = lines(call.resources.copies, first["decisions"], last["decisions"], application)
    name = f"decisions-{since:%Y%m%d}-{until:%Y%m%d}.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(told, media_type="application/x-ndjson", headers=headers)


def _history(call: Call) -> History:
    return History(call.resources.copies, call.resources.log)


async def _shown(
    call: Call, authorization: Any, question: Question, about: str, moment: datetime, positions: dict[str, int]
) -> None:
    command = ShowHistory(question=question, about=about, moment=moment, positions=positions, by=call.caller.person)
    await call.handle(HISTORY, f"{question}:{about}"[:200], command, authorization)
