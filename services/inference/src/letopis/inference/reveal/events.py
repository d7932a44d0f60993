"""What is known of a reveal."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRevealed:
    """A person was about to be shown the inputs of a decision, for the purpose in the meta; `erased`: nothing was."""

    decision_id: str
    subject: str
    fields: tuple[str, ...]
    erased: bool
    by: str


FACTS = Catalogue([("inference.decision.revealed", 1, DecisionRevealed)])
