"""Looking into the past leaves a fact, each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.audit.history.events import FACTS, HistoryShown, Question
from letopis.common.decider import Aggregate, Decider


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHistory:
    question: Question
    about: str
    moment: datetime
    positions: Mapping[str, int]
    by: str


def decide(_: None, command: ShowHistory) -> Sequence[HistoryShown]:
    return [
        HistoryShown(
            question=command.question,
            about=command.about,
            moment=command.moment,
            positions=dict(command.positions),
            by=command.by,
        )
    ]


def evolve(state: None, _: HistoryShown) -> None:
    return state


HISTORY = Aggregate("history", Decider[ShowHistory, HistoryShown, None](None, decide, evolve), FACTS)
