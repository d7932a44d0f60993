"""Scoring a decision once more leaves a fact, each time; it changes nothing of the decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.inference.rescoring.events import FACTS, DecisionRescored


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRescored:
    decision_id: str
    version_id: str
    version_digest: str
    recorded: float
    rescored: float
    equal: bool
    erased: bool
    by: str


def decide(_: None, command: RecordRescored) -> Sequence[DecisionRescored]:
    return [
        DecisionRescored(
            decision_id=command.decision_id,
            version_id=command.version_id,
            version_digest=command.version_digest,
            recorded=command.recorded,
            rescored=command.rescored,
            equal=command.equal,
            erased=command.erased,
            by=command.by,
        )
    ]


def evolve(state: None, _: DecisionRescored) -> None:
    return state


RESCORING = Aggregate("rescoring", Decider[RecordRescored, DecisionRescored, None](None, decide, evolve), FACTS)
