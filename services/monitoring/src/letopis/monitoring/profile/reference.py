"""From a training set to the watched features of a monitor, and back to bins and counts."""

from collections.abc import Mapping, Sequence
from typing import Any

from letopis.monitoring.monitor.events import WatchedFeature
from letopis.monitoring.profile.binning import Binning, Kind, learn
from letopis.monitoring.profile.histogram import Histogram, count, pack, unpack

# The score is profiled like an input, in 64 equal bins of [0, 1]; it has no training reference.
SCORE = Binning(
    feature="score", kind="numeric", edges=tuple(place / 64 for place in range(1, 64)), low=0.0, high=1.0, shift=39
)


def watch(columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, Kind | None]) -> tuple[WatchedFeature, ...]:
    """Bins and reference counts of the named columns ([rows] each); KeyError for a column that is not there."""
    return tuple(_watched(name, columns[name], kind) for name, kind in kinds.items())


def bins(watched: WatchedFeature) -> Binning:
    return Binning(
        feature=watched.feature,
        kind=watched.kind,
        edges=watched.edges,
        low=watched.low,
        high=watched.high,
        shift=watched.shift,
        levels=watched.levels,
        rare=watched.rare,
        textual=watched.textual,
    )


def reference(watched: WatchedFeature) -> Histogram:
    return unpack(watched.reference)


def _watched(name: str, values: Sequence[Any], kind: Kind | None) -> WatchedFeature:
    binning, histogram = learn(name, values, kind), Histogram()
    count(binning, values, histogram)
    return WatchedFeature(
        feature=name,
        kind=binning.kind,
        edges=binning.edges,
        low=binning.low,
        high=binning.high,
        shift=binning.shift,
        levels=binning.levels,
        rare=binning.rare,
        textual=binning.textual,
        reference=pack(histogram),
    )
