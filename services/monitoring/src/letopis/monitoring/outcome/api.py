"""Outcomes are delivered late and in batches; quality is read by cohort."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from pydantic_core import PydanticCustomError

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.sealing.pseudonym import looks_personal
from letopis.monitoring.monitor.views import definition, monitors
from letopis.monitoring.monitor.window import bucket_text
from letopis.monitoring.outcome.decider import (
    OUTCOME,
    BatchRecorded,
    NoOutcomes,
    OutcomeFromFuture,
    RecordOutcomes,
)
from letopis.monitoring.outcome.events import Outcome
from letopis.monitoring.outcome.views import cohorts

router = APIRouter(prefix="/v1", tags=["outcome"])

MOST = 10_000
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def pseudonym(entity_id: str) -> str:
    """Who an outcome is about stands in the ledger in clear; what looks personal is refused and not repeated."""
    if kind := looks_personal(entity_id):
        raise PydanticCustomError("pseudonym", "looks like {kind}; name the client by a pseudonym", {"kind": kind})
    return entity_id


class OutcomeIn(Body):
    """`as_of` is the time of the decision that the label judges, `known_at` when the label became known."""

    entity_id: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(pseudonym)]
    as_of: AwareDatetime
    label: Annotated[int, Field(ge=0, le=1)]
    known_at: AwareDatetime


class OutcomesIn(Body):
    """`entity` names what entity_id identifies, as decisions do; `definition` says which label this is."""

    entity: Name
    definition: Name = "outcome"
    rows: Annotated[list[OutcomeIn], Field(min_length=1, max_length=MOST)]


class CohortOut(BaseModel):
    """Metrics are null below the coverage that the monitor asks for; intervals are 95 %."""

    bucket: str
    start: datetime
    decisions: int
    labelled: int
    bad: int
    gini: float | None = None
    gini_low: float | None = None
    gini_high: float | None = None
    ks: float | None = None
    brier: float | None = None


@router.post(
    "/outcomes",
    status_code=201,
    response_model=Receipt,
    responses=problems(OutcomeFromFuture, NoOutcomes, BatchRecorded),
)
async def record(body: OutcomesIn, call: Annotated[Call, governed("monitoring.outcome.record")]) -> Response:
    authorization = await call.authorize(Object(type="outcome", id=body.entity))
    batch_id = str(call.command_id)
    command = RecordOutcomes(
        batch_id=batch_id,
        entity=body.entity,
        definition=body.definition,
        outcomes=tuple(
            Outcome(entity_id=one.entity_id, as_of=one.as_of, label=one.label, known_at=one.known_at)
            for one in body.rows
        ),
        by=call.caller.person or call.caller.login,
        at=call.now(),
    )
    return call.receipt(await call.handle(OUTCOME, batch_id, command, authorization))


@router.get("/monitors/{monitor_id}/quality", responses=problems(NotFound))
async def measured(
    monitor_id: str,
    call: Annotated[Call, governed("monitoring.outcome.read")],
    as_of: Annotated[AwareDatetime | None, Query(description="with the labels known by then")] = None,
) -> list[CohortOut]:
    await call.authorize(Object(type="monitor", id=monitor_id))
    found = await monitors(call.views, monitor_id)
    if not found:
        raise NotFound(f"version {monitor_id} has no monitor")
    from letopis.monitoring.alert.evaluation import mature

    monitor, told = definition(found[0]), []
    for cohort in await cohorts(call.views, monitor, as_of or call.now()):
        shown = CohortOut(
            bucket=bucket_text(monitor.window_seconds, cohort.start),
            start=cohort.start,
            decisions=cohort.decisions,
            labelled=cohort.labelled,
            bad=int(cohort.bad.sum()),
        )
        if (known := mature(monitor, cohort)) is not None:
            shown.gini, shown.ks, shown.brier = known.gini, known.ks, known.brier
            shown.gini_low, shown.gini_high = 2 * known.low - 1, 2 * known.high - 1
        told.append(shown)
    return told
