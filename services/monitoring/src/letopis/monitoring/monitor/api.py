"""Monitors are defined from the training set of a version."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import Forbidden, Invalid, NotFound, Unavailable
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.monitoring.monitor import views
from letopis.monitoring.monitor.decider import (
    MONITOR,
    ChangeThresholds,
    DefineMonitor,
    MonitorExists,
    MonitorOver,
    MonitorUnknown,
    NothingWatched,
    RetireMonitor,
    ThresholdsInvalid,
    Undefined,
)
from letopis.monitoring.monitor.events import Thresholds, WatchedFeature
from letopis.monitoring.monitor.training import read_training_set

router = APIRouter(prefix="/v1/monitors", tags=["monitor"])

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class FeatureIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=128)]
    kind: Literal["numeric", "level"] | None = None


class WindowIn(Body):
    """Calendar months, or a number of seconds; give one."""

    unit: Literal["month"] | None = None
    seconds: Annotated[int, Field(ge=1, le=315_576_000)] | None = None


class ThresholdsIn(Body):
    delta0: Annotated[float, Field(ge=0, le=10)] = 0.02
    major: Annotated[float, Field(gt=0, le=10)] = 0.10
    critical: Annotated[float, Field(gt=0, le=10)] = 0.25
    min_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    false_alarms_per_year: Annotated[float, Field(gt=0, le=366)] = 1.0
    gini_floor: Annotated[float, Field(ge=-1, le=1)] | None = None
    gini_fall: Annotated[float, Field(ge=0, le=2)] | None = 0.10
    coverage: Annotated[float, Field(gt=0, le=1)] = 0.8


class MonitorIn(Body):
    """Without features, all inputs of the version are watched; without a data set, the one it was trained on."""

    version_id: Id
    dataset_id: Id | None = None
    features: Annotated[list[FeatureIn], Field(max_length=2000)] | None = None
    window: WindowIn = WindowIn(unit="month")
    thresholds: ThresholdsIn = ThresholdsIn()


class ThresholdChangeIn(Body):
    thresholds: ThresholdsIn
    reason: Reason


class RetirementIn(Body):
    reason: Reason


class MonitorOut(BaseModel):
    monitor_id: str
    model_id: str
    version_id: str
    dataset_id: str
    read: str
    window_seconds: int | None
    features: list[dict[str, Any]]
    thresholds: dict[str, Any]
    state: str
    defined_by: str
    defined_at: datetime


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(MonitorExists, NothingWatched, ThresholdsInvalid, NotFound, Forbidden, Unavailable),
)
async def define(
    body: MonitorIn, call: Annotated[Call, governed("monitoring.monitor.define", deadline=120)]
) -> Response:
    thresholds = Thresholds(**body.thresholds.model_dump())
    authorization = await call.authorize(Object(type="monitor", id=body.version_id), facts=_bounds(thresholds))
    if not isinstance((await call.load(MONITOR, body.version_id)).state, Undefined):
        raise MonitorExists
    version = await views.registered(call.views, body.version_id)
    if version is None:
        raise NotFound(f"the registry has told of no version {body.version_id}")
    dataset_id = body.dataset_id or next(iter(version["datasets"]), None)
    if dataset_id is None:
        raise Invalid("the version names no training set; give dataset_id")
    # Whoever defines the monitor reads the training set: we act in their name, at features, for this purpose alone.
    token = await call.resources.tokens.in_name_of(call.caller.token, "features", call.purpose)
    training = await read_training_set(
        call.resources.http,
        call.resources.settings.features_url,
        dataset_id,
        token=token,
        purpose=call.purpose,
    )
    asked = [FeatureIn(name=name) for name in version["inputs"]] if body.features is None else body.features
    kinds = {one.name: one.kind for one in asked}
    if missing := [name for name in kinds if name not in training.columns]:
        raise Invalid(f"the training set has no column {', '.join(missing)}", missing=missing)
    command = DefineMonitor(
        model_id=version["model_id"],
        version_id=body.version_id,
        version_digest=version["digest"],
        dataset_id=dataset_id,
        files=training.files,
        read=training.read,
        window_seconds=body.window.seconds,
        features=await asyncio.to_thread(_watched, training.columns, kinds),
        thresholds=thresholds,
        by=call.caller.person,
        at=call.now(),
    )
    return call.receipt(await call.handle(MONITOR, body.version_id, command, authorization))


@router.post(
    "/{monitor_id}/thresholds",
    status_code=201,
    response_model=Receipt,
    responses=problems(MonitorUnknown, MonitorOver, ThresholdsInvalid),
)
async def change(
    monitor_id: Id, body: ThresholdChangeIn, call: Annotated[Call, governed("monitoring.monitor.change")]
) -> Response:
    thresholds = Thresholds(**body.thresholds.model_dump())
    authorization = await call.authorize(Object(type="monitor", id=monitor_id), facts=_bounds(thresholds))
    command = ChangeThresholds(thresholds=thresholds, reason=body.reason, by=call.caller.person, at=call.now())
    return call.receipt(await call.handle(MONITOR, monitor_id, command, authorization))


@router.post(
    "/{monitor_id}/retirement",
    status_code=201,
    response_model=Receipt,
    responses=problems(MonitorUnknown, MonitorOver),
)
async def retire(
    monitor_id: Id, body: RetirementIn, call: Annotated[Call, governed("monitoring.monitor.retire")]
) -> Response:
    authorization = await call.authorize(Object(type="monitor", id=monitor_id))
    command = RetireMonitor(reason=body.reason, by=call.caller.person, at=call.now())
    return call.receipt(await call.handle(MONITOR, monitor_id, command, authorization))


@router.get("")
async def monitors(call: Annotated[Call, governed("monitoring.monitor.list")]) -> list[MonitorOut]:
    await call.authorize(Object(type="monitor", id="*"))
    return [MonitorOut(**dict(row)) for row in await views.monitors(call.views)]


@router.get("/{monitor_id}", responses=problems(NotFound))
async def monitor(monitor_id: Id, call: Annotated[Call, governed("monitoring.monitor.list")]) -> MonitorOut:
    await call.authorize(Object(type="monitor", id=monitor_id))
    found = await views.monitors(call.views, monitor_id)
    if not found:
        raise NotFound(f"version {monitor_id} has no monitor")
    return MonitorOut(**dict(found[0]))


def _bounds(thresholds: Thresholds) -> dict[str, Any]:
    """Thresholds as policy reads them; one that is not set is the bound that nothing crosses."""
    told = asdict(thresholds)
    told["gini_floor"] = -1.0 if thresholds.gini_floor is None else thresholds.gini_floor
    told["gini_fall"] = 2.0 if thresholds.gini_fall is None else thresholds.gini_fall
    return {"thresholds": told}


def _watched(columns: Any, kinds: dict[str, Literal["numeric", "level"] | None]) -> tuple[WatchedFeature, ...]:
    from letopis.monitoring.profile.reference import watch

    return watch(columns, kinds)
