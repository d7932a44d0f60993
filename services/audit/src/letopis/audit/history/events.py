"""What is known of looks into the past."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Question = Literal["decision", "models", "rights", "reads", "decisions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryShown:
    """Somebody was shown what was known at a moment; `positions` say how far each ledger had come then."""

    question: Question
    about: str
    moment: datetime
    positions: dict[str, int]
    by: str


FACTS = Catalogue([("audit.history.shown", 1, HistoryShown)])
