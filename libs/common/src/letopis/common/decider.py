"""Deciding, pure: a state, a command, the facts that follow, and the state they make."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

from letopis.common.serialization import Catalogue

C = TypeVar("C")
F = TypeVar("F")
S = TypeVar("S")


@dataclass(frozen=True)
class Decider(Generic[C, F, S]):
    """The three parts of a decision; none of them does I/O or reads a clock.

    Without slots, because typing sets __orig_class__ where the parameters are spelled out.
    """

    initial: S
    decide: Callable[[S, C], Sequence[F]]
    evolve: Callable[[S, F], S]


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[C, F, S]):
    """A decider with its name and the stored names of its facts; one of `ends` is an object's last."""

    name: str
    decider: Decider[C, F, S]
    facts: Catalogue
    ends: frozenset[type] = frozenset()

    def stream(self, id: str) -> str:
        """The stream that holds one object's facts."""
        return f"{self.name}:{id}"

    def closes(self, facts: Iterable[object]) -> bool:
        """Whether these facts are an object's last."""
        return not self.ends.isdisjoint(map(type, facts))


def fold(decider: Decider[Any, Any, S], facts: Iterable[Any]) -> S:
    """The state that a history of facts makes."""
    return reduce(decider.evolve, facts, decider.initial)
