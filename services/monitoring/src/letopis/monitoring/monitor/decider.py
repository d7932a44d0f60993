"""A monitor is defined once for a version; its thresholds may change, its bins never."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.monitoring.monitor.events import (
    FACTS,
    MonitorDefined,
    MonitorFact,
    MonitorRetired,
    Thresholds,
    ThresholdsChanged,
    WatchedFeature,
)


class MonitorExists(Refused):
    """The version is watched already; bins belong to the version."""

    code = "monitor.exists"
    title = "This version has a monitor; change its thresholds instead"


class MonitorUnknown(Refused):
    """The version is not watched."""

    code = "monitor.unknown"
    title = "This version has no monitor; define one first"


class MonitorOver(Refused):
    """The monitor was retired."""

    code = "monitor.retired"
    title = "This monitor was retired"


class NothingWatched(Refused):
    """A monitor without features would never say anything."""

    code = "monitor.nothing_watched"
    title = "A monitor needs at least one feature, each named once"


class ThresholdsInvalid(Refused):
    """Thresholds that contradict each other."""

    code = "monitor.thresholds_invalid"
    title = "The thresholds contradict each other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineMonitor:
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
class ChangeThresholds:
    thresholds: Thresholds
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireMonitor:
    reason: str
    by: str
    at: datetime


MonitorCommand = DefineMonitor | ChangeThresholds | RetireMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    monitor_id: str
    thresholds: Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    monitor_id: str


Monitor = Undefined | Watching | Retired


def define(command: DefineMonitor) -> Sequence[MonitorFact]:
    _check(command.thresholds)
    names = [one.feature for one in command.features]
    if not names or len(set(names)) != len(names):
        raise NothingWatched
    if command.window_seconds is not None and command.window_seconds < 1:
        raise ThresholdsInvalid("a window has at least one second")
    return [
        MonitorDefined(
            monitor_id=command.version_id,
            model_id=command.model_id,
            version_id=command.version_id,
            version_digest=command.version_digest,
            dataset_id=command.dataset_id,
            files=command.files,
            read=command.read,
            window_seconds=command.window_seconds,
            features=command.features,
            thresholds=command.thresholds,
            by=command.by,
            at=command.at,
        )
    ]


def change(state: Watching, command: ChangeThresholds) -> Sequence[MonitorFact]:
    _check(command.thresholds)
    if command.thresholds == state.thresholds:
        return []
    return [
        ThresholdsChanged(
            monitor_id=state.monitor_id,
            thresholds=command.thresholds,
            reason=command.reason,
            by=command.by,
            at=command.at,
        )
    ]


def decide(state: Monitor, command: MonitorCommand) -> Sequence[MonitorFact]:
    match state, command:
        case Undefined(), DefineMonitor():
            return define(command)
        case _, DefineMonitor():
            raise MonitorExists
        case Watching(), ChangeThresholds():
            return change(state, command)
        case Watching(), RetireMonitor():
            return [MonitorRetired(monitor_id=state.monitor_id, reason=command.reason, by=command.by, at=command.at)]
        case Undefined(), _:
            raise MonitorUnknown
        case _:
            raise MonitorOver


def evolve(state: Monitor, fact: MonitorFact) -> Monitor:
    del state
    match fact:
        case MonitorDefined():
            return Watching(monitor_id=fact.monitor_id, thresholds=fact.thresholds)
        case ThresholdsChanged():
            return Watching(monitor_id=fact.monitor_id, thresholds=fact.thresholds)
        case MonitorRetired():
            return Retired(monitor_id=fact.monitor_id)


def _check(told: Thresholds) -> None:
    if not 0 <= told.delta0 < told.major <= told.critical:
        raise ThresholdsInvalid("delta0 < major <= critical is needed")
    if told.min_rows < 1 or told.false_alarms_per_year <= 0 or not 0 < told.coverage <= 1:
        raise ThresholdsInvalid("min_rows and false_alarms_per_year are above 0, coverage is above 0 and at most 1")
    if told.gini_floor is not None and not -1 <= told.gini_floor <= 1:
        raise ThresholdsInvalid("a Gini lies between -1 and 1")
    if told.gini_fall is not None and not 0 <= told.gini_fall <= 2:
        raise ThresholdsInvalid("a fall of Gini lies between 0 and 2")


MONITOR = Aggregate("monitor", Decider[MonitorCommand, MonitorFact, Monitor](Undefined(), decide, evolve), FACTS)
