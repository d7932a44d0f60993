"""What a bucket and its labels give rise to, pure: contract first, then drift of what is still sound, then quality."""

import math
from collections.abc import Sequence

from letopis.monitoring.alert.events import Finding, Severity
from letopis.monitoring.input.checks import breaches
from letopis.monitoring.monitor.events import MonitorDefined, WatchedFeature
from letopis.monitoring.monitor.window import bucket_text, buckets_a_year
from letopis.monitoring.outcome.quality import Cohort, Quality, quality
from letopis.monitoring.profile.effect import minimum_effect, psi, valued
from letopis.monitoring.profile.histogram import Bucket, Histogram
from letopis.monitoring.profile.reference import bins, reference

# One-sided 95 %: a fall of Gini counts where chance alone gives it in less than one cohort of twenty.
Z_FALL = 1.6448536269514722


def bucket_findings(monitor: MonitorDefined, previous: Bucket | None, now: Bucket) -> tuple[Finding, ...]:
    """Contract and drift of one bucket.

    A feature that broke its contract has no drift in that bucket: its counts are no sample of the same thing.
    """
    found: list[Finding] = []
    for place, watched in enumerate(monitor.features):
        before = previous.features[place] if previous else None
        broken = _contract(monitor, watched, before, now, now.features[place])
        found += broken or _drift(monitor, watched, now, now.features[place])
    return tuple(found)


def _contract(
    monitor: MonitorDefined, watched: WatchedFeature, before: Histogram | None, now: Bucket, window: Histogram
) -> list[Finding]:
    return [
        Finding(
            kind="contract",
            check=one.check,
            feature=watched.feature,
            level=one.level,
            bucket=bucket_text(monitor.window_seconds, now.start),
            bucket_start=now.start,
            severity="critical",
            text=one.text,
            measure="rows",
            old=float(one.old),
            new=float(one.new),
            old_rows=one.old_rows,
            new_rows=one.new_rows,
        )
        for one in breaches(bins(watched), reference(watched), before, window)
    ]


def _drift(monitor: MonitorDefined, watched: WatchedFeature, now: Bucket, window: Histogram) -> list[Finding]:
    told, binning, base = monitor.thresholds, bins(watched), reference(watched)
    a, b = valued(base), valued(window)
    if b.sum() < told.min_rows:
        return []
    effect = minimum_effect(a, b, told.delta0)
    # All features and all buckets of a year share the false alarms that were agreed on.
    alpha = told.false_alarms_per_year / (buckets_a_year(monitor.window_seconds) * len(monitor.features))
    if effect.effect < told.major or effect.p_value >= alpha:
        return []
    severity: Severity = "critical" if effect.effect >= told.critical else "major"
    means = base.mean(binning), window.mean(binning)
    shown = f", mean {_figure(means[0])} -> {_figure(means[1])}" if None not in means else ""
    return [
        Finding(
            kind="drift",
            check="psi",
            feature=watched.feature,
            level="",
            bucket=bucket_text(monitor.window_seconds, now.start),
            bucket_start=now.start,
            severity=severity,
            text=f"{watched.feature} drifted: PSI {psi(a, b):.2f}{shown}",
            measure="psi",
            old=0.0,
            new=psi(a, b),
            old_rows=int(a.sum()),
            new_rows=int(b.sum()),
        )
    ]


def quality_findings(monitor: MonitorDefined, cohorts: Sequence[Cohort]) -> tuple[Finding, ...]:
    """Gini of every mature cohort against the floor, and against the first mature cohort of the version.

    The interval decides: an alert says that even its better end is below what was agreed.
    """
    told = monitor.thresholds
    first: Quality | None = None
    found: list[Finding] = []
    for cohort in cohorts:
        now = mature(monitor, cohort)
        if now is None:
            continue
        under = told.gini_floor is not None and 2 * now.high - 1 < told.gini_floor
        fallen = told.gini_fall is not None and first is not None and _fell(first, now, told.gini_fall)
        if under or fallen:
            found.append(_quality(monitor, cohort, first, now, "critical" if under else "major"))
        first = first or now
    return tuple(found)


def mature(monitor: MonitorDefined, cohort: Cohort) -> Quality | None:
    """The quality of a cohort, once enough of its decisions have a label."""
    if cohort.labelled < monitor.thresholds.coverage * cohort.decisions:
        return None
    return quality(cohort.bad, cohort.good)


def _fell(first: Quality, now: Quality, allowed: float) -> bool:
    error = 2 * math.hypot(first.error, now.error)
    return first.gini - now.gini - allowed > Z_FALL * error


def _quality(
    monitor: MonitorDefined, cohort: Cohort, first: Quality | None, now: Quality, severity: Severity
) -> Finding:
    told = first or now
    bucket = bucket_text(monitor.window_seconds, cohort.start)
    before = f"{first.gini:.2f} -> " if first else ""
    return Finding(
        kind="quality",
        check="gini",
        feature="score",
        level="",
        bucket=bucket,
        bucket_start=cohort.start,
        severity=severity,
        text=f"Gini {before}{now.gini:.2f} on {now.rows:,} labels of {bucket}",
        measure="gini",
        old=told.gini,
        new=now.gini,
        old_rows=told.rows,
        new_rows=now.rows,
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
