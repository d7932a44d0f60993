"""What is known of outcomes: what happened to whom, about which time, and since when it is known."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One label; 1 means that the bad thing happened.

    `as_of` is the time of the decision it judges, `known_at` is when it became known.
    """

    entity_id: str
    as_of: datetime
    label: int
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesRecorded:
    """A batch as it was delivered. A later label of the same entity and time replaces an earlier one in views."""

    batch_id: str
    entity: str
    definition: str
    outcomes: tuple[Outcome, ...]
    by: str
    at: datetime


FACTS = Catalogue([("monitoring.outcome.recorded", 1, OutcomesRecorded)])
