"""What is known of a drill."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillCommitted:
    """Somebody will inject what a plan says; all that is told of it is the hash of the plan and a salt."""

    drill_id: str
    commitment: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What caught an injection: the first fact of the expected kind, and how many seconds later; none is a miss."""

    injection: str
    injected_at: datetime
    caught: bool
    place: str
    event_id: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRevealed:
    """The plan that was committed to, its exact text and salt, and what caught each injection."""

    drill_id: str
    commitment: str
    plan: str
    salt: str
    catches: tuple[Catch, ...]
    caught: int
    missed: int
    by: str


DrillFact = DrillCommitted | DrillRevealed
FACTS = Catalogue([("audit.drill.committed", 1, DrillCommitted), ("audit.drill.revealed", 1, DrillRevealed)])
