"""Tests of deciders as sentences: given(facts).when(command).then(facts) or .refused(Refusal)."""

from dataclasses import dataclass, replace
from typing import Any

from letopis.common.decider import Aggregate, fold
from letopis.common.errors import Refused
from letopis.common.testing.sealing import same_seal


@dataclass(frozen=True, slots=True)
class Outcome:
    aggregate: Aggregate[Any, Any, Any]
    facts: tuple[object, ...]
    refusal: Refused | None

    def then(self, *expected: object) -> None:
        """The command led to exactly these facts, each of which can be stored and read back."""
        if self.refusal is not None:
            raise AssertionError(f"refused: {self.refusal!r}") from self.refusal
        assert self.facts == expected, f"{self.facts} is not {expected}"
        for fact in self.facts:
            catalogue = self.aggregate.facts
            back = catalogue.decode(*catalogue.encode(fact, same_seal))
            sealed = {name: getattr(back, name) for name in catalogue.personal(type(fact))}
            assert back == (replace(fact, **sealed) if sealed else fact)  # type: ignore[type-var]

    def refused(self, kind: type[Refused]) -> None:
        """The command was refused with exactly this refusal."""
        assert self.refusal is not None, f"not refused: {self.facts}"
        assert type(self.refusal) is kind, f"refused by {self.refusal!r}, not by {kind.__name__}"


@dataclass(frozen=True, slots=True)
class Given:
    aggregate: Aggregate[Any, Any, Any]
    facts: tuple[object, ...]

    def when(self, command: object) -> Outcome:
        decider = self.aggregate.decider
        state = fold(decider, self.facts)
        try:
            after = tuple(decider.decide(state, command))
        except Refused as refusal:
            return Outcome(self.aggregate, (), refusal)
        fold(decider, (*self.facts, *after))
        return Outcome(self.aggregate, after, None)


def given(aggregate: Aggregate[Any, Any, Any], *facts: object) -> Given:
    """A history to decide upon."""
    return Given(aggregate, facts)
