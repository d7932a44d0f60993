"""Showing a name leaves a fact, each time."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.registry.reveal.events import FACTS, PrincipalRevealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealPrincipal:
    login: str
    subject: str
    erased: bool
    by: str


def decide(_: None, command: RevealPrincipal) -> Sequence[PrincipalRevealed]:
    told = {"login": command.login, "subject": command.subject, "by": command.by}
    return [PrincipalRevealed(**told, erased=command.erased)]


def evolve(state: None, _: PrincipalRevealed) -> None:
    return state


REVEAL = Aggregate("reveal", Decider[RevealPrincipal, PrincipalRevealed, None](None, decide, evolve), FACTS)
