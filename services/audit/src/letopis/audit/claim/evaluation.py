"""Evaluating one standing claim, pure and of the standard library only: a keyed fold over facts.

What is found is a function of the facts 1..N of every ledger and of this code: the order in which ledgers are fed
changes nothing.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .facts import At, Fact, holds, moment
from .language import Claim, Other

# What must have come is missed only when the chronicle is a minute further: ledgers are copied side by side.
SETTLE = 60_000_000

Key = tuple[str | None, ...]


class Met(NamedTuple):
    """A fact that may go with a first one."""

    at: At
    until: int | None
    distinct: str


@dataclass
class Group:
    """First facts that ask for the same others; judged again only when something came that concerns them."""

    key: Key
    firsts: list[At] = field(default_factory=list)
    dirty: bool = True
    waiting: int = 0
    wrong: list[At] = field(default_factory=list)


class Standing:
    """One claim over the facts it was fed; a keyed fold."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        others = claim.others
        self.others: tuple[Other, ...] = others.any if others else ()
        self.enders: tuple[Other, ...] = others.ended_by if others else ()
        self.paths = sorted({path for one in (*self.others, *self.enders) for _, path in one.on})
        self.groups: dict[Key, Group] = {}
        self.met: list[dict[Key, list[Met]]] = [{} for _ in (*self.others, *self.enders)]
        self.concerned: list[dict[Key, list[Group]]] = [{} for _ in self.met]
        self.checked = 0

    def feed(self, fact: Fact) -> None:
        """Take a fact of one of the claim's types."""
        claim = self.claim
        if fact.type in claim.every.facts:
            for element in fact.elements(claim.every.each):
                if all(holds(test, fact, element) for test in claim.every.where):
                    self._first(fact, element)
        for number, other in enumerate((*self.others, *self.enders)):
            if fact.type == other.fact and all(holds(test, fact, None) for test in other.where):
                self._other(number, other, fact)

    def judged(self, now: int) -> tuple[int, int, list[At]]:
        """How many facts were checked, how many still wait for others, and those that violate the claim."""
        waiting, wrong = 0, []
        for group in self.groups.values():
            if group.dirty or group.waiting:
                self._judge(group, now)
            waiting += group.waiting
            wrong += group.wrong
        return self.checked, waiting, sorted(wrong, key=lambda at: at[:2])

    def _first(self, fact: Fact, element: Any) -> None:
        self.checked += 1
        time = fact.at.time
        if self.claim.every.at:
            stated = moment(fact.value(self.claim.every.at, element))
            time = time if stated is None else stated
        key = tuple(fact.key(path, element) for path in self.paths)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key)
            for number, other in enumerate((*self.others, *self.enders)):
                self.concerned[number].setdefault(self._part(other, key), []).append(group)
        group.firsts.append(fact.at._replace(time=time))
        group.dirty = True

    def _other(self, number: int, other: Other, fact: Fact) -> None:
        rules = self.claim.others
        assert rules is not None  # noqa: S101 only claims with others have any
        key = tuple(fact.key(path, None) for path, _ in other.on)
        if None in key:
            return
        until = None
        if rules.until and number < len(self.others):
            until = moment(fact.value(rules.until, None))
        distinct = fact.key(rules.distinct, None) if rules.distinct else f"{fact.at.ledger}/{fact.at.position}"
        insort(self.met[number].setdefault(key, []), Met(fact.at, until, distinct or ""), key=lambda met: met.at)
        for group in self.concerned[number].get(key, ()):
            group.dirty = True

    def _part(self, other: Other, key: Key) -> Key:
        return tuple(key[self.paths.index(path)] for _, path in other.on)

    def _judge(self, group: Group, now: int) -> None:
        found = [met for number in range(len(self.others)) for met in self._of(number, group.key)]
        count = len(self.others)
        ends = [met.at for number in range(count, count + len(self.enders)) for met in self._of(number, group.key)]
        group.dirty, group.waiting, group.wrong = False, 0, []
        for first in group.firsts:
            verdict = self._verdict(first, found, ends, now)
            if verdict is None:
                group.waiting += 1
            elif not verdict:
                group.wrong.append(first)

    def _of(self, number: int, key: Key) -> Iterable[Met]:
        other = (*self.others, *self.enders)[number]
        return self.met[number].get(self._part(other, key), ())

    def _verdict(self, first: At, found: list[Met], ends: list[At], now: int) -> bool | None:
        """True if the claim holds for this fact, False if it is violated, None while that is open."""
        rules = self.claim.others
        if rules is None:
            return False
        fitting = {met.distinct for met in found if _fits(rules, first, met, ends)}
        enough = len(fitting) >= rules.at_least
        if self.claim.rule == "lacks":
            return not enough
        if enough:
            return True
        waits = rules.within or 0
        deadline = first.time + (waits * 1_000_000 if rules.order == "after" else 0)
        endless = rules.order == "after" and rules.within is None
        return None if endless or now <= deadline + SETTLE else False


def _fits(rules: Any, first: At, met: Met, ends: list[At]) -> bool:
    if met.at[:2] == first[:2]:
        return False
    if rules.order != "any":
        if before(met.at, first) != (rules.order == "before"):
            return False
        if rules.within is not None and abs(met.at.time - first.time) > rules.within * 1_000_000:
            return False
    late = first.time - rules.grace * 1_000_000
    if rules.until and (met.until is None or met.until < late):
        return False
    return not any(before(met.at, end) and end.time < late for end in ends)


def before(one: At, other: At) -> bool:
    """In one ledger positions tell what came first; between ledgers times do."""
    return one.position < other.position if one.ledger == other.ledger else one.time <= other.time
