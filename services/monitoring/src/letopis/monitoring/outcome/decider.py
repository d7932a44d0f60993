"""Outcomes are taken as delivered, in batches; a label from the future is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.monitoring.outcome.events import FACTS, Outcome, OutcomesRecorded

# Rows of one fact; a larger delivery becomes several facts of one command.
ROWS = 1000
# Clocks of senders may be a little ahead of ours.
AHEAD = timedelta(minutes=1)


class OutcomeFromFuture(Refused):
    """A label that nobody can know yet, or that is older than what it judges."""

    code = "outcome.not_known_yet"
    title = "An outcome is known after the decision it judges, and not later than now"


class NoOutcomes(Refused):
    """An empty delivery."""

    code = "outcome.none"
    title = "The delivery holds no outcome"


class BatchRecorded(Refused):
    """The batch id is taken."""

    code = "outcome.batch_recorded"
    title = "A batch with this id was recorded; send a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcomes:
    batch_id: str
    entity: str
    definition: str
    outcomes: tuple[Outcome, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A delivery; `recorded` once it was taken."""

    recorded: bool = False


def decide(state: Batch, command: RecordOutcomes) -> Sequence[OutcomesRecorded]:
    if state.recorded:
        raise BatchRecorded
    if not command.outcomes:
        raise NoOutcomes
    for place, one in enumerate(command.outcomes):
        if not one.as_of <= one.known_at <= command.at + AHEAD:
            raise OutcomeFromFuture(f"row {place} of {one.as_of:%Y-%m-%d} is known at {one.known_at:%Y-%m-%d %H:%M}")
    return [
        OutcomesRecorded(
            batch_id=command.batch_id,
            entity=command.entity,
            definition=command.definition,
            outcomes=command.outcomes[start : start + ROWS],
            by=command.by,
            at=command.at,
        )
        for start in range(0, len(command.outcomes), ROWS)
    ]


def evolve(state: Batch, fact: OutcomesRecorded) -> Batch:
    del state, fact
    return Batch(recorded=True)


OUTCOME = Aggregate("outcome", Decider[RecordOutcomes, OutcomesRecorded, Batch](Batch(), decide, evolve), FACTS)
