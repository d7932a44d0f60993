"""Released facts keep their shape for ever: the stored bytes of one of each kind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from letopis.monitoring.contract import (
    CONTRACT,
    AlertAcknowledged,
    AlertContinued,
    AlertOpened,
    AlertResolved,
    MonitorDefined,
    MonitorRetired,
    Outcome,
    OutcomesRecorded,
    Thresholds,
    ThresholdsChanged,
    WatchedFeature,
)

GOLDEN = Path(__file__).with_name("golden")
AT = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)
SEPTEMBER = datetime(2005, 9, 1, tzinfo=UTC)
FACTS = [
    MonitorDefined(
        monitor_id="credit-default.1",
        model_id="credit-default",
        version_id="credit-default.1",
        version_digest="ab" * 32,
        dataset_id="cd" * 32,
        files=("ef" * 32,),
        read="access/7",
        window_seconds=None,
        features=(
            WatchedFeature(
                feature="bill",
                kind="numeric",
                edges=(-0.5, 10.25),
                low=-3.0,
                high=20.5,
                shift=35,
                levels=(),
                rare=(),
                textual=False,
                reference=b"\x00\x01\xff",
            ),
        ),
        thresholds=Thresholds(gini_floor=0.4),
        by="anna",
        at=AT,
    ),
    ThresholdsChanged(
        monitor_id="credit-default.1", thresholds=Thresholds(gini_fall=None), reason="season", by="boris", at=AT
    ),
    MonitorRetired(monitor_id="credit-default.1", reason="replaced", by="boris", at=AT),
    OutcomesRecorded(
        batch_id="b",
        entity="account_id",
        definition="default",
        outcomes=(Outcome(entity_id="17", as_of=SEPTEMBER, label=1, known_at=AT),),
        by="bank-app",
        at=AT,
    ),
    AlertOpened(
        alert_id="a",
        episode=1,
        model_id="credit-default",
        version_id="credit-default.1",
        kind="contract",
        check="level",
        feature="status",
        level="1",
        bucket="2005-09",
        bucket_start=SEPTEMBER,
        severity="critical",
        text="status code 1: 28 -> 3,688 rows",
        measure="rows",
        old=28.0,
        new=3688.0,
        old_rows=30_000,
        new_rows=30_000,
        at=AT,
    ),
    AlertContinued(
        alert_id="a",
        episode=1,
        bucket="2005-09",
        bucket_start=SEPTEMBER,
        severity="critical",
        text="status code 1: 28 -> 3,688 rows",
        old=28.0,
        new=3688.0,
        old_rows=30_000,
        new_rows=30_000,
        at=AT,
    ),
    AlertAcknowledged(alert_id="a", episode=1, person="anna", comment="looking", at=AT),
    AlertResolved(alert_id="a", episode=1, person="boris", verdict="confirmed", comment="recoded", at=AT),
]


class TestFacts:
    @pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
    def test_are_stored_in_the_bytes_of_their_release(self, fact: object) -> None:
        encoded = CONTRACT.encode(fact)
        golden = (GOLDEN / f"{encoded.type}.{encoded.schema_version}.json").read_bytes().rstrip(b"\n")
        assert encoded.data == golden
        assert CONTRACT.decode(encoded.type, encoded.schema_version, golden) == fact

    def test_have_an_example_each(self) -> None:
        assert {CONTRACT.encode(fact).type for fact in FACTS} == CONTRACT.types
