"""What is known of a decision that was scored once more."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRescored:
    """The pinned version on the recorded inputs gave this score; `equal` if every bit, and what was said, is the same.

    Without inputs (`erased`) there is nothing to score, and both scores are told as they stand in the record.
    """

    decision_id: str
    version_id: str
    version_digest: str
    recorded: float
    rescored: float
    equal: bool
    erased: bool
    by: str


FACTS = Catalogue([("inference.decision.rescored", 1, DecisionRescored)])
