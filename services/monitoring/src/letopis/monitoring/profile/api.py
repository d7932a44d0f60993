"""Profiles of a monitored version: PSI of every feature in every bucket."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.monitoring.monitor.views import definition, monitors
from letopis.monitoring.profile import views

router = APIRouter(prefix="/v1/monitors", tags=["profile"])


class FeatureOut(BaseModel):
    """Distances are null where a side has no rows; `special` counts what is no ordinary value."""

    feature: str
    rows: int
    psi: float | None
    ks: float | None
    mean: float | None
    special: dict[str, int]


class BucketOut(BaseModel):
    bucket: str
    start: datetime
    rows: int
    refused: int
    mean_score: float | None
    score_psi: float | None
    features: list[FeatureOut]


@router.get("/{monitor_id}/profiles", responses=problems(NotFound))
async def profiles(
    monitor_id: str,
    call: Annotated[Call, governed("monitoring.profile.read")],
    since: Annotated[datetime | None, Query()] = None,
) -> list[BucketOut]:
    """Buckets in their order. The score is compared with the first bucket, features with the training set."""
    await call.authorize(Object(type="monitor", id=monitor_id))
    found = await monitors(call.views, monitor_id)
    if not found:
        raise NotFound(f"version {monitor_id} has no monitor")
    from letopis.monitoring.profile.summary import summaries

    monitor = definition(found[0])
    told = await views.buckets(call.views, views.profile_of(monitor))
    shown: list[dict[str, Any]] = summaries(monitor, told)
    return [BucketOut(**one) for one in shown if since is None or one["start"] >= since]
