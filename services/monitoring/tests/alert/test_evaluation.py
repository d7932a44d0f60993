"""What evaluation finds: on the real panel, on a dropped column, a shifted mean, degraded labels."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from letopis.monitoring.alert.evaluation import bucket_findings, quality_findings
from letopis.monitoring.alert.events import Finding
from letopis.monitoring.monitor.events import MonitorDefined, Thresholds
from letopis.monitoring.outcome.quality import SCORE_BINS, Cohort
from letopis.monitoring.profile.histogram import ABSENT_VALUE, Bucket, Histogram, count
from letopis.monitoring.profile.reference import bins, watch

FEATURES = ("status", "bill", "paid", "utilisation", "limit_amount", "age", "education", "marriage")
AT = datetime(2026, 11, 21, tzinfo=UTC)


def start(month: int) -> datetime:
    return datetime(2005, month, 1, tzinfo=UTC)


def monitor(training: Mapping[str, Sequence[Any]], thresholds: Thresholds | None = None) -> MonitorDefined:
    names = [name for name in FEATURES if name in training]
    return MonitorDefined(
        monitor_id="m.1",
        model_id="m",
        version_id="m.1",
        version_digest="",
        dataset_id="d",
        files=(),
        read="access/1",
        window_seconds=None,
        features=watch(training, dict.fromkeys(names)),
        thresholds=thresholds or Thresholds(),
        by="anna",
        at=AT,
    )


def bucket(watched: MonitorDefined, month: int, columns: Mapping[str, Sequence[Any]]) -> Bucket:
    rows = len(next(iter(columns.values())))
    histograms = []
    for one in watched.features:
        histogram = Histogram()
        count(bins(one), columns.get(one.feature, [ABSENT_VALUE] * rows), histogram)
        histograms.append(histogram)
    return Bucket(start=start(month), rows=rows, refused=0, features=tuple(histograms), score=Histogram())


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.check, one.feature) for one in findings]


class TestPanel:
    def test_september_is_told_in_its_first_bucket_with_the_code_and_the_numbers(self, all_months: Any) -> None:
        watched = monitor(all_months[4])
        seen, previous = {}, None
        for month in range(5, 10):
            now = bucket(watched, month, all_months[month])
            seen[month] = bucket_findings(watched, previous, now)
            previous = now
        assert [one.text for one in seen[9] if one.kind == "contract"] == ["status code 1: 28 -> 3,688 rows"]
        assert not [one for month in range(5, 9) for one in seen[month] if one.kind == "contract"]
        # What the contract found is frozen for drift: nothing is told twice.
        assert ("drift", "psi", "status") not in told(seen[9])
        assert not seen[5]
        assert not seen[6]
        assert not seen[7]
        assert told(seen[8]) == [("drift", "psi", "paid"), ("drift", "psi", "utilisation")]

    def test_a_small_bank_sees_the_same_september(self, months: Any) -> None:
        watched = monitor(months[4])
        august, september = (bucket(watched, month, months[month]) for month in (8, 9))
        found = bucket_findings(watched, august, september)
        assert [(one.check, one.level) for one in found if one.kind == "contract"] == [("level", "1")]


class TestInput:
    def test_a_dropped_column_and_a_shifted_mean_are_two_distinct_alerts(self, months: Any) -> None:
        """Checklist A13."""
        watched, may = monitor(months[4]), dict(months[5])
        del may["bill"]
        may["limit_amount"] = [value * 1.5 for value in may["limit_amount"]]
        found = bucket_findings(watched, None, bucket(watched, 5, may))
        assert told(found) == [("contract", "missing", "bill"), ("drift", "psi", "limit_amount")]
        missing, shifted = found
        assert missing.text == "bill missing: 0 -> 2,000 rows"
        assert shifted.severity == "critical"
        assert "mean" in shifted.text

    def test_few_rows_break_a_contract_but_prove_no_drift(self, months: Any) -> None:
        watched = monitor(months[4])
        may = {name: values[:100] for name, values in months[5].items()}
        may["paid"], may["limit_amount"] = [None] * 100, [1e6] * 50 + [2e6] * 50
        found = bucket_findings(watched, None, bucket(watched, 5, may))
        assert told(found) == [("contract", "missing", "paid")]

    def test_the_training_set_itself_gives_rise_to_nothing(self, months: Any) -> None:
        watched = monitor(months[4])
        assert not bucket_findings(watched, None, bucket(watched, 5, months[4]))

    def test_thresholds_decide(self, months: Any) -> None:
        watched = monitor(months[4], Thresholds(major=2.0, critical=3.0))
        may = dict(months[5]) | {"limit_amount": [value * 1.5 for value in months[5]["limit_amount"]]}
        assert not bucket_findings(watched, None, bucket(watched, 5, may))


def cohort(month: int, separation: float, rows: int = 4_000, labelled: float = 1.0) -> Cohort:
    """Scores of one in eight bad rows, `separation` standard deviations above the others."""
    rng = np.random.default_rng(month)
    known, bad = int(rows * labelled), int(rows * labelled) // 8

    def binned(values: np.ndarray) -> np.ndarray:
        scores = (SCORE_BINS / (1 + np.exp(-values))).astype(int)
        return np.bincount(scores, minlength=SCORE_BINS)

    return Cohort(
        start=start(month),
        decisions=rows,
        bad=binned(rng.normal(separation, 1, bad)),
        good=binned(rng.normal(0, 1, known - bad)),
    )


@pytest.fixture(scope="module")
def watched() -> MonitorDefined:
    return monitor({"status": [0, 1, 2] * 10})


class TestLabels:
    def test_that_degrade_raise_an_alert_within_one_window(self, watched: MonitorDefined) -> None:
        """Checklist A12."""
        found = quality_findings(watched, [cohort(5, 1.5), cohort(6, 1.5), cohort(7, 0.6)])
        (one,) = found
        assert (one.kind, one.check, one.bucket, one.severity) == ("quality", "gini", "2005-07", "major")
        assert one.old == pytest.approx(0.71, abs=0.04)
        assert one.new == pytest.approx(0.33, abs=0.08)
        assert one.text == f"Gini {one.old:.2f} -> {one.new:.2f} on 4,000 labels of 2005-07"

    def test_that_stay_are_silent(self, watched: MonitorDefined) -> None:
        assert not quality_findings(watched, [cohort(month, 1.5) for month in range(5, 10)])

    def test_that_are_not_there_yet_are_not_judged(self, watched: MonitorDefined) -> None:
        assert not quality_findings(watched, [cohort(5, 1.5), cohort(6, 0.0, labelled=0.7)])
        assert quality_findings(watched, [cohort(5, 1.5), cohort(6, 0.0, labelled=0.85)])

    def test_that_are_too_few_carry_no_claim(self, watched: MonitorDefined) -> None:
        assert not quality_findings(watched, [cohort(5, 1.5, rows=80), cohort(6, 1.0, rows=80)])

    def test_below_a_floor_are_critical_from_the_first_cohort(self) -> None:
        floored = monitor({"status": [0, 1, 2] * 10}, Thresholds(gini_floor=0.8, gini_fall=None))
        (one,) = quality_findings(floored, [cohort(5, 1.5)])
        assert one.severity == "critical"
        assert not quality_findings(floored, [cohort(5, 3.0)])
