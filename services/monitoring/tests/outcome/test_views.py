"""Labels find their decisions, whichever comes first."""
# The rest is in tests/test_service.py, over PostgreSQL.

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.testing.sample import facts, records
from letopis.common.testing.views import check_view, content_of
from letopis.monitoring.contract import OUTCOME
from letopis.monitoring.outcome.events import Outcome, OutcomesRecorded
from letopis.monitoring.outcome.views import Labelled

AT = datetime(2026, 11, 21, tzinfo=UTC)


def batch(*labels: tuple[int, int, int]) -> OutcomesRecorded:
    """Labels of (account, label, month in which it was known), all about May."""
    return OutcomesRecorded(
        batch_id="b",
        entity="account_id",
        definition="default",
        outcomes=tuple(
            Outcome(
                entity_id=str(account),
                as_of=datetime(2005, 5, 1, tzinfo=UTC),
                label=label,
                known_at=datetime(2005, known, 1, tzinfo=UTC),
            )
            for account, label, known in labels
        ),
        by="bank-app",
        at=AT,
    )


row = st.tuples(st.integers(1, 4), st.integers(0, 1), st.integers(6, 9))


class TestLabelled:
    @settings(max_examples=40)
    @given(st.lists(st.lists(row, min_size=1, max_size=5), max_size=8))
    def test_is_a_fold(self, batches: list[list[tuple[int, int, int]]]) -> None:
        check_view(Labelled, records("monitoring", facts(OUTCOME, *(batch(*one) for one in batches))), tries=4)

    def test_keeps_the_label_that_was_known_last(self) -> None:
        told = facts(OUTCOME, batch((1, 0, 7)), batch((1, 1, 8)), batch((1, 0, 6)))
        (kept,) = content_of(Labelled, records("monitoring", told))["outcome"].values()
        assert (kept["label"], kept["known_at"].month) == (1, 8)
