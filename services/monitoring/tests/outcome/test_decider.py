"""Outcomes as they are delivered."""

from datetime import UTC, datetime, timedelta

from letopis.common.testing.decider import given
from letopis.monitoring.outcome.decider import (
    OUTCOME,
    ROWS,
    BatchRecorded,
    NoOutcomes,
    OutcomeFromFuture,
    RecordOutcomes,
)
from letopis.monitoring.outcome.events import Outcome, OutcomesRecorded

AT = datetime(2005, 6, 2, tzinfo=UTC)
MAY = datetime(2005, 5, 1, tzinfo=UTC)


def one(number: int, known_at: datetime = AT) -> Outcome:
    return Outcome(entity_id=str(number), as_of=MAY, label=number % 2, known_at=known_at)


def command(*outcomes: Outcome) -> RecordOutcomes:
    return RecordOutcomes(
        batch_id="b", entity="account_id", definition="default", outcomes=outcomes, by="bank-app", at=AT
    )


def fact(*outcomes: Outcome) -> OutcomesRecorded:
    return OutcomesRecorded(
        batch_id="b", entity="account_id", definition="default", outcomes=outcomes, by="bank-app", at=AT
    )


class TestRecord:
    def test_keeps_the_delivery_as_it_came(self) -> None:
        given(OUTCOME).when(command(one(1), one(2))).then(fact(one(1), one(2)))

    def test_cuts_a_large_one_into_facts_without_losing_a_row(self) -> None:
        rows = tuple(one(number) for number in range(2 * ROWS + 1))
        expected = [fact(*rows[:ROWS]), fact(*rows[ROWS : 2 * ROWS]), fact(rows[-1])]
        given(OUTCOME).when(command(*rows)).then(*expected)

    def test_refuses_labels_that_nobody_can_know(self) -> None:
        given(OUTCOME).when(command(one(1), one(2, AT + timedelta(hours=1)))).refused(OutcomeFromFuture)
        given(OUTCOME).when(command(one(1, MAY - timedelta(days=1)))).refused(OutcomeFromFuture)

    def test_refuses_nothing_and_the_same_batch_twice(self) -> None:
        given(OUTCOME).when(command()).refused(NoOutcomes)
        given(OUTCOME, fact(one(1))).when(command(one(1))).refused(BatchRecorded)
