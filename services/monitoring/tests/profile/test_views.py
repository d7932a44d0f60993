"""The profile of a version: the same bytes in any cut, in a rebuild, and for a monitor that is defined late."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.envelope import Record
from letopis.common.testing.sample import facts, records
from letopis.common.testing.sealing import EndlessKeys, MemoryKeyStore, opened, sealer
from letopis.common.testing.views import check_view, content_of
from letopis.inference.contract import DECISIONS, DecisionMade, DecisionRefused, FieldProblem
from letopis.monitoring.monitor.events import MonitorDefined, Thresholds
from letopis.monitoring.profile.binning import NULL, REFUSED
from letopis.monitoring.profile.histogram import unpack_all
from letopis.monitoring.profile.reference import SCORE, watch
from letopis.monitoring.profile.views import Profile, profile_of

AT = datetime(2026, 11, 21, tzinfo=UTC)
MONITOR = MonitorDefined(
    monitor_id="m.1",
    model_id="m",
    version_id="m.1",
    version_digest="",
    dataset_id="d",
    files=(),
    read="access/1",
    window_seconds=None,
    features=watch({"status": [-1, 0, 0, 2], "bill": [0.0, 10.5, 20.5, 3.25]}, {"status": None, "bill": "numeric"}),
    thresholds=Thresholds(),
    by="anna",
    at=AT,
)


class OfMonitor(Profile):
    """The profile without arguments, as check_view makes it."""

    def __init__(self) -> None:
        super().__init__(MONITOR)


def made(number: int, version_id: str, month: int, inputs: dict[str, Any], score: float) -> DecisionMade:
    return DecisionMade(
        application="credit",
        api_version="v1",
        model_id="m",
        version_id=version_id,
        version_digest="",
        consumer="bank-app",
        entity="account_id",
        entity_id=str(number),
        inputs=inputs,
        looked_up=(),
        score=score,
        cutoff=0.5,
        decision="accept",
        reasons=None,
        decided_at=AT,
        as_of=datetime(2005, month, 17, tzinfo=UTC) if month else None,
        kind="batch",
        job_id="j",
        row=number,
    )


def refused(field: str, version_id: str = "m.1") -> DecisionRefused:
    return DecisionRefused(
        application="credit",
        api_version="v1",
        version_id=version_id,
        consumer="bank-app",
        code="inputs.invalid",
        problems=(FieldProblem(field=field, message="is missing"),),
        body_sha256="",
        refused_at=AT,
        kind="single",
        job_id="",
        row=None,
    )


KEYS = EndlessKeys(MemoryKeyStore())


def sealed(told: Sequence[DecisionMade | DecisionRefused]) -> list[Record]:
    return records("decisions", facts(DECISIONS, *told, sealer=sealer("decisions", KEYS)))


def stored(told: Sequence[DecisionMade | DecisionRefused]) -> list[Record]:
    """The ledger as a profile reads it."""
    return opened(sealed(told), DECISIONS, KEYS)


values = st.sampled_from([None, 0, 1, 2, 7, 10.5, -3.25, "2", "x", True])
decision = st.builds(
    made,
    st.integers(1, 99),
    st.sampled_from(["m.1", "m.2"]),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(["status", "bill", "other"]), values),
    st.floats(0, 1),
)
story = st.lists(st.one_of(decision, st.builds(refused, st.sampled_from(["status", "bill", "else"]))), max_size=40)


class TestProfile:
    @settings(max_examples=40)
    @given(story)
    def test_is_a_fold(self, told: list[DecisionMade | DecisionRefused]) -> None:
        check_view(OfMonitor, stored(told), tries=4)

    def test_counts_by_event_time_what_its_version_was_fed(self) -> None:
        told = [
            made(1, "m.1", 5, {"status": 0, "bill": 10.5}, 0.25),
            made(2, "m.1", 5, {"status": None, "bill": 3.25}, 0.75),
            made(3, "m.2", 5, {"status": 2, "bill": 1.5}, 0.5),
            made(4, "m.1", 6, {"status": 1, "bill": 1.5}, 0.5),
        ]
        content = content_of(OfMonitor, stored(told))["profile"]
        assert [(key[0].month, row["rows"]) for key, row in content.items()] == [(5, 2), (6, 1)]
        status, bill, score = unpack_all(content[datetime(2005, 5, 1, tzinfo=UTC),]["packed"])
        assert (status.rows, int(status.counts[NULL])) == (2, 1)
        assert (bill.least, bill.most) == (3.25, 10.5)
        assert score.mean(SCORE) == pytest.approx(0.5)

    def test_leaves_out_the_inputs_of_whom_was_erased(self) -> None:
        """Built again after an erasure: the row and its score count, its inputs are not taken for missing ones."""
        kept, erased = made(1, "m.1", 5, {"status": 2, "bill": 10.5}, 0.25), made(2, "m.1", 5, {"status": 2}, 0.75)
        content = content_of(OfMonitor, [*stored([kept]), *sealed([erased])])["profile"]
        (row,) = content.values()
        status, _, score = unpack_all(row["packed"])
        assert (row["rows"], status.rows, score.rows) == (2, 1, 2)

    def test_counts_what_was_refused_for_the_sake_of_a_field(self) -> None:
        content = content_of(OfMonitor, stored([refused("bill"), made(1, "m.1", 0, {"bill": 1.5}, 0.5)]))["profile"]
        (row,) = content.values()
        assert (row["rows"], row["refused"]) == (1, 1)
        status, bill, _ = unpack_all(row["packed"])
        assert int(bill.counts[REFUSED]) == 1
        assert int(status.counts[REFUSED]) == 0

    def test_has_a_name_of_its_own_that_a_schema_can_bear(self) -> None:
        assert profile_of(MONITOR).name == profile_of(MONITOR).name
        assert len(profile_of(MONITOR).name) <= 40
        assert profile_of(MONITOR).name != Profile.name
