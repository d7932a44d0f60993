"""Profiles as people read them: distances, means and what is no ordinary value."""

import math
from collections.abc import Sequence
from typing import Any

from letopis.monitoring.monitor.events import MonitorDefined, WatchedFeature
from letopis.monitoring.monitor.window import bucket_text
from letopis.monitoring.profile.binning import BINS, SPECIAL
from letopis.monitoring.profile.effect import ks, psi, valued
from letopis.monitoring.profile.histogram import Bucket, Histogram
from letopis.monitoring.profile.reference import SCORE, bins, reference


def summaries(monitor: MonitorDefined, buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    """One entry a bucket, in the given order; the first bucket is the score's reference."""
    return [
        {
            "bucket": bucket_text(monitor.window_seconds, bucket.start),
            "start": bucket.start,
            "rows": bucket.rows,
            "refused": bucket.refused,
            "mean_score": bucket.score.mean(SCORE),
            "score_psi": _known(psi(valued(buckets[0].score), valued(bucket.score))),
            "features": [
                _feature(watched, histogram)
                for watched, histogram in zip(monitor.features, bucket.features, strict=True)
            ],
        }
        for bucket in buckets
    ]


def _feature(watched: WatchedFeature, histogram: Histogram) -> dict[str, Any]:
    binning, base = bins(watched), reference(watched)
    special = {name: int(histogram.counts[BINS + place]) for place, name in enumerate(SPECIAL)}
    return {
        "feature": watched.feature,
        "rows": histogram.rows,
        "psi": _known(psi(valued(base), valued(histogram))),
        "ks": _known(ks(binning, base, histogram)) if binning.kind == "numeric" else None,
        "mean": histogram.mean(binning),
        "special": {name: rows for name, rows in special.items() if rows},
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
