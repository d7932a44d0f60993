"""What is known of a monitor: its reference, bins and thresholds, frozen with the model version it watches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When an alert is raised.

    Drift: the distance tested against (`delta0`) and the bias-corrected distances, in PSI's units, from which an
    alert is major or critical; `min_rows` a bucket needs; `false_alarms_per_year` that all features and buckets
    share. Quality: a lowest Gini, a largest fall of Gini below the first mature cohort (each may be absent), and
    the share of decisions that must have a label before a cohort is judged.
    """

    delta0: float = 0.02
    major: float = 0.10
    critical: float = 0.25
    min_rows: int = 200
    false_alarms_per_year: float = 1.0
    gini_floor: float | None = None
    gini_fall: float | None = 0.10
    coverage: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFeature:
    """One feature's bins and the training set's counts in them (`reference`: a packed histogram)."""

    feature: str
    kind: Literal["numeric", "level"]
    edges: tuple[float, ...]
    low: float
    high: float
    shift: int
    levels: tuple[str, ...]
    rare: tuple[str, ...]
    textual: bool
    reference: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorDefined:
    """The monitor's id is the version's. `window_seconds` None means calendar months (UTC).

    `read` is the recorded read of the training set, `files` are the SHA-256 of what was read.
    """

    monitor_id: str
    model_id: str
    version_id: str
    version_digest: str
    dataset_id: str
    files: tuple[str, ...]
    read: str
    window_seconds: int | None
    features: tuple[WatchedFeature, ...]
    thresholds: Thresholds
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsChanged:
    monitor_id: str
    thresholds: Thresholds
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRetired:
    monitor_id: str
    reason: str
    by: str
    at: datetime


MonitorFact = MonitorDefined | ThresholdsChanged | MonitorRetired

FACTS = Catalogue(
    [
        ("monitoring.monitor.defined", 1, MonitorDefined),
        ("monitoring.monitor.thresholds_changed", 1, ThresholdsChanged),
        ("monitoring.monitor.retired", 1, MonitorRetired),
    ]
)
