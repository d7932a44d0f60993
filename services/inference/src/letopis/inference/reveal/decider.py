"""Showing personal fields leaves a fact, each time."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.inference.reveal.events import FACTS, DecisionRevealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealDecision:
    decision_id: str
    subject: str
    fields: tuple[str, ...]
    erased: bool
    by: str


def decide(_: None, command: RevealDecision) -> Sequence[DecisionRevealed]:
    return [
        DecisionRevealed(
            decision_id=command.decision_id,
            subject=command.subject,
            fields=command.fields,
            erased=command.erased,
            by=command.by,
        )
    ]


def evolve(state: None, _: DecisionRevealed) -> None:
    return state


REVEAL = Aggregate("reveal", Decider[RevealDecision, DecisionRevealed, None](None, decide, evolve), FACTS)
