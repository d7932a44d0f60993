"""From rows of the online store to an answer: each value with its status and its times. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from letopis.features.bundle.events import BundleFeature
from letopis.features.online.packing import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a view version gives: its features in order, and how long they count as fresh (None: always)."""

    features: tuple[str, ...]
    ttl_seconds: int | None


def answer(
    entities: Sequence[str],
    bundle: Sequence[BundleFeature],
    shapes: Mapping[str, Shape],
    rows: Mapping[str, Sequence[Row | None]],
    *,
    masked: frozenset[str],
    now: datetime,
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """One object an entity, values in the bundle's order, and how many values have which status.

    MASKED features have no value, MISSING ones neither; a STALE one is older than its view's time to live and comes
    with its value, so that whoever asks may decide.
    """
    counts: Counter[str] = Counter()
    told: list[dict[str, Any]] = []
    for place, entity in enumerate(entities):
        values, statuses, events, knowns = [], [], [], []
        for feature in bundle:
            shape, row = shapes[feature.view_id], rows[feature.view_id][place]
            status = _status(feature, shape, row, masked, now)
            shown = row if status in {"PRESENT", "STALE"} else None
            values.append(shown.values[shape.features.index(feature.feature)] if shown else None)
            events.append(shown.event.isoformat() if shown else None)
            knowns.append(shown.known.isoformat() if shown else None)
            statuses.append(status)
            counts[status.lower()] += 1
        told.append({"key": entity, "values": values, "status": statuses, "event_times": events, "known_times": knowns})
    return told, counts


def _status(feature: BundleFeature, shape: Shape, row: Row | None, masked: frozenset[str], now: datetime) -> str:
    if feature.cls in masked:
        return "MASKED"
    if row is None:
        return "MISSING"
    if shape.ttl_seconds is not None and row.event <= now - timedelta(seconds=shape.ttl_seconds):
        return "STALE"
    return "PRESENT"
