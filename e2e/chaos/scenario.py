"""What a scenario is, and what a run of it leaves behind."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from e2e.chaos.reading import Reading
from e2e.chaos.yard import Yard


class NotStruckError(AssertionError):
    """The fault did not hit; such a run proves nothing and fails."""


class CannotRunError(Exception):
    """This machine cannot do it; such a scenario counts as not run, never as passed."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The strikes of one run by name, and what the reader found."""

    strikes: Counter[str] = field(default_factory=Counter)
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`play` does one run with a number that makes it repeatable; `must` names what has to strike in every run."""

    name: str
    proves: str
    play: Callable[[Yard, int], Run]
    must: tuple[str, ...]
