"""A monitor's life."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from letopis.common.testing.decider import given
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
)
from letopis.monitoring.monitor.events import (
    MonitorDefined,
    MonitorRetired,
    Thresholds,
    ThresholdsChanged,
    WatchedFeature,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)
STATUS = WatchedFeature(
    feature="status",
    kind="level",
    edges=(),
    low=0.0,
    high=0.0,
    shift=0,
    levels=("0", "1"),
    rare=(),
    textual=False,
    reference=b"\x00\xff",
)
DEFINE = DefineMonitor(
    model_id="credit-default",
    version_id="credit-default.1",
    version_digest="ab" * 32,
    dataset_id="cd" * 32,
    files=("ef" * 32,),
    read="access/7",
    window_seconds=None,
    features=(STATUS,),
    thresholds=Thresholds(),
    by="anna",
    at=AT,
)
DEFINED = MonitorDefined(
    monitor_id="credit-default.1",
    model_id="credit-default",
    version_id="credit-default.1",
    version_digest="ab" * 32,
    dataset_id="cd" * 32,
    files=("ef" * 32,),
    read="access/7",
    window_seconds=None,
    features=(STATUS,),
    thresholds=Thresholds(),
    by="anna",
    at=AT,
)
TIGHTER = Thresholds(major=0.05, gini_floor=0.4)
CHANGE = ChangeThresholds(thresholds=TIGHTER, reason="tier 1 now", by="boris", at=AT)
CHANGED = ThresholdsChanged(monitor_id="credit-default.1", thresholds=TIGHTER, reason="tier 1 now", by="boris", at=AT)
RETIRE = RetireMonitor(reason="replaced", by="boris", at=AT)
RETIRED = MonitorRetired(monitor_id="credit-default.1", reason="replaced", by="boris", at=AT)


class TestDefine:
    def test_freezes_bins_and_reference(self) -> None:
        given(MONITOR).when(DEFINE).then(DEFINED)

    def test_refuses_a_second_one_for_the_version(self) -> None:
        given(MONITOR, DEFINED).when(DEFINE).refused(MonitorExists)
        given(MONITOR, DEFINED, RETIRED).when(DEFINE).refused(MonitorExists)

    @pytest.mark.parametrize("features", [(), (STATUS, STATUS)])
    def test_refuses_to_watch_nothing_or_one_thing_twice(self, features: tuple[WatchedFeature, ...]) -> None:
        given(MONITOR).when(replace(DEFINE, features=features)).refused(NothingWatched)

    @pytest.mark.parametrize(
        "thresholds",
        [
            Thresholds(delta0=0.1, major=0.1),
            Thresholds(major=0.3, critical=0.2),
            Thresholds(min_rows=0),
            Thresholds(coverage=0.0),
            Thresholds(coverage=1.1),
            Thresholds(false_alarms_per_year=0.0),
            Thresholds(gini_floor=1.5),
            Thresholds(gini_fall=-0.1),
        ],
    )
    def test_refuses_thresholds_that_contradict_each_other(self, thresholds: Thresholds) -> None:
        given(MONITOR).when(replace(DEFINE, thresholds=thresholds)).refused(ThresholdsInvalid)
        change = replace(CHANGE, thresholds=thresholds)
        given(MONITOR, DEFINED).when(change).refused(ThresholdsInvalid)

    def test_refuses_a_window_without_length(self) -> None:
        given(MONITOR).when(replace(DEFINE, window_seconds=0)).refused(ThresholdsInvalid)


class TestChange:
    def test_replaces_the_thresholds(self) -> None:
        given(MONITOR, DEFINED).when(CHANGE).then(CHANGED)

    def test_to_the_same_is_no_fact(self) -> None:
        given(MONITOR, DEFINED, CHANGED).when(CHANGE).then()

    def test_needs_a_living_monitor(self) -> None:
        given(MONITOR).when(CHANGE).refused(MonitorUnknown)
        given(MONITOR, DEFINED, RETIRED).when(CHANGE).refused(MonitorOver)


class TestRetire:
    def test_ends_it_once(self) -> None:
        given(MONITOR, DEFINED, CHANGED).when(RETIRE).then(RETIRED)
        given(MONITOR, DEFINED, RETIRED).when(RETIRE).refused(MonitorOver)
        given(MONITOR).when(RETIRE).refused(MonitorUnknown)
