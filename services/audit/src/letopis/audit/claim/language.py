"""The language of standing claims, pure and of the standard library only: it runs in the verifier too.

A claim is a JSON object:

    {"id": "...", "text": {"en": "...", "ru": "..."}, "every": WHAT, then one of
     "never": true | "needs": OTHERS | "lacks": OTHERS}

    WHAT    {"facts": [TYPE, ...], "where": [TEST, ...], "each": PATH, "at": PATH}
    OTHERS  {"any": [{"fact": TYPE, "on": {PATH of the other: PATH of the first}, "where": [TEST, ...]}, ...],
             "order": "before" | "after" | "any", "within_seconds": N, "until": PATH of the other,
             "at_least": N, "distinct": PATH of the other,
             "ended_by": {"any": [...], "grace_seconds": N}}
    TEST    [PATH, "is" | "is_not" | "in" | "not_in" | "at_least" | "at_most", VALUE]
            [PATH, "same_as" | "not_same_as", PATH]     [PATH, "empty" | "not_empty"]

It reads: of every fact WHAT, none may exist (never), others must exist (needs), or no other may (lacks). A PATH
leads into the fact's data (`version_id`, `manifest.owner`), into its meta (`@meta.actor.person`), or is one of
`@event_id`, `@stream`, `@recorded_at`. `each` takes a list or object apart: `@each` (`@each.key`, `@each.value`)
is one element. `at` is the moment the fact speaks of, where that is not when it was recorded. `grace_seconds` is how
long what ended still counts, by `until` or by another fact: an act is recorded a little after it was allowed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ORDERS = ("before", "after", "any")
_VALUED = {"is", "is_not", "at_least", "at_most"}
_LISTED = {"in", "not_in"}
_PATHS = {"same_as", "not_same_as"}
_BARE = {"empty", "not_empty"}
_ID = re.compile(r"[a-z][a-z0-9_]{2,63}", re.ASCII)
_TYPE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9_]*){2}", re.ASCII)
_PATH = re.compile(r"@?[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+){0,5}", re.ASCII)
LONGEST = 10 * 366 * 86400
MANY = 32

Test = tuple[str, str, Any]


class NotAClaim(ValueError):
    """The definition is not of this language; the message says where and what."""


@dataclass(frozen=True)
class What:
    """The facts a claim is about."""

    facts: tuple[str, ...]
    where: tuple[Test, ...] = ()
    each: str = ""
    at: str = ""


@dataclass(frozen=True)
class Other:
    """Facts of one type that go with a first fact: equal at these paths (other's, first's)."""

    fact: str
    on: tuple[tuple[str, str], ...] = ()
    where: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Others:
    """What must, or must not, go with the first fact, and when."""

    any: tuple[Other, ...]
    order: str = "any"
    within: int | None = None
    until: str = ""
    at_least: int = 1
    distinct: str = ""
    ended_by: tuple[Other, ...] = ()
    grace: int = 0


@dataclass(frozen=True)
class Claim:
    """`rule` is never, needs or lacks."""

    id: str
    text: Mapping[str, str]
    every: What
    rule: str
    others: Others | None = None

    @property
    def types(self) -> frozenset[str]:
        """Every type of fact the claim speaks of."""
        others = (*self.others.any, *self.others.ended_by) if self.others else ()
        return frozenset((*self.every.facts, *(one.fact for one in others)))


def parse(definition: Any) -> Claim:
    """The claim of a JSON value; NotAClaim says what is wrong with it."""
    told = _object(definition, "the claim", {"id", "text", "every", "never", "needs", "lacks"})
    rules = [name for name in ("never", "needs", "lacks") if name in told]
    if len(rules) != 1 or told.get("never", True) is not True:
        raise NotAClaim('a claim has one of "never": true, "needs" and "lacks"')
    if not isinstance(told.get("id"), str) or not _ID.fullmatch(told["id"]):
        raise NotAClaim("id: 3 to 64 small Latin letters, digits and _")
    text = _object(told.get("text"), "text", {"en", "ru"})
    if "en" not in text or not all(isinstance(one, str) and 0 < len(one) <= 500 for one in text.values()):
        raise NotAClaim("text: what must hold, in words, in English at least")
    others = None if rules == ["never"] else _others(told[rules[0]], rules[0])
    return Claim(id=told["id"], text=text, every=_what(told.get("every")), rule=rules[0], others=others)


def _what(told: Any) -> What:
    told = _object(told, "every", {"facts", "where", "each", "at"})
    facts = _list(told.get("facts"), "every.facts")
    return What(
        facts=tuple(_type(one, "every.facts") for one in facts),
        where=_tests(told.get("where"), "every.where"),
        each=_path(told["each"], "every.each") if "each" in told else "",
        at=_path(told["at"], "every.at") if "at" in told else "",
    )


def _others(told: Any, name: str) -> Others:
    told = _object(told, name, {"any", "order", "within_seconds", "until", "at_least", "distinct", "ended_by"})
    order = told.get("order", "any")
    if order not in ORDERS:
        raise NotAClaim(f"{name}.order: one of {', '.join(ORDERS)}")
    ended = _object(told.get("ended_by", {"any": []}), f"{name}.ended_by", {"any", "grace_seconds"})
    within = _count(told["within_seconds"], f"{name}.within_seconds") if "within_seconds" in told else None
    if within is not None and order == "any":
        raise NotAClaim(f"{name}.within_seconds needs an order")
    if ("until" in told or "ended_by" in told) and order != "before":
        raise NotAClaim(f"{name}: what ends is before; say so in order")
    return Others(
        any=tuple(_other(one, f"{name}.any") for one in _list(told.get("any"), f"{name}.any")),
        order=order,
        within=within,
        until=_path(told["until"], f"{name}.until") if "until" in told else "",
        at_least=max(1, _count(told.get("at_least", 1), f"{name}.at_least")),
        distinct=_path(told["distinct"], f"{name}.distinct") if "distinct" in told else "",
        ended_by=tuple(_other(one, f"{name}.ended_by") for one in ended.get("any", ())),
        grace=_count(ended.get("grace_seconds", 0), f"{name}.ended_by.grace_seconds"),
    )


def _other(told: Any, place: str) -> Other:
    told = _object(told, place, {"fact", "on", "where"})
    on = told.get("on", {})
    if not isinstance(on, dict) or len(on) > MANY:
        raise NotAClaim(f"{place}.on: paths of the other fact to paths of the first")
    pairs = tuple((_path(one, f"{place}.on"), _path(two, f"{place}.on")) for one, two in sorted(on.items()))
    return Other(fact=_type(told.get("fact"), f"{place}.fact"), on=pairs, where=_tests(told.get("where"), place))


def _tests(told: Any, place: str) -> tuple[Test, ...]:
    return tuple(_test(one, place) for one in (_list(told, place) if told is not None else ()))


def _test(told: Any, place: str) -> Test:
    if not isinstance(told, list | tuple) or len(told) not in {2, 3} or not isinstance(told[1], str):
        raise NotAClaim(f"{place}: a test is [path, word] or [path, word, value]")
    path, word, value = _path(told[0], place), told[1], told[2] if len(told) == 3 else None
    plain = value is None or isinstance(value, str | bool | int | float)
    good = {
        **dict.fromkeys(_VALUED, len(told) == 3 and plain),
        **dict.fromkeys(_LISTED, isinstance(value, list) and 0 < len(value) <= 1000),
        **dict.fromkeys(_PATHS, isinstance(value, str) and bool(_PATH.fullmatch(value))),
        **dict.fromkeys(_BARE, len(told) == 2),
    }
    if not good.get(word, False):
        raise NotAClaim(f"{place}: {word!r} is not a word of this language, or its value does not fit")
    return path, word, value


def _object(told: Any, place: str, known: set[str]) -> Any:
    if not isinstance(told, dict) or not set(told) <= known:
        raise NotAClaim(f"{place}: an object with {', '.join(sorted(known))} and nothing else")
    return told


def _list(told: Any, place: str) -> Sequence[Any]:
    if not isinstance(told, list | tuple) or not 0 < len(told) <= MANY:
        raise NotAClaim(f"{place}: a list of 1 to {MANY}")
    return told


def _type(told: Any, place: str) -> str:
    if not isinstance(told, str) or not _TYPE.fullmatch(told):
        raise NotAClaim(f"{place}: a fact's type, such as registry.promotion.approved")
    return told


def _path(told: Any, place: str) -> str:
    if not isinstance(told, str) or not _PATH.fullmatch(told):
        raise NotAClaim(f"{place}: a path, such as version_id or @meta.actor.person")
    return told


def _count(told: Any, place: str) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= LONGEST:
        raise NotAClaim(f"{place}: a whole number from 0 to {LONGEST}")
    return told
