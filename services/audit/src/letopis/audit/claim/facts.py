"""A record as claims read it, pure and of the standard library only."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .language import Test

Record = Mapping[str, str]


class At(NamedTuple):
    """Where and when a fact stands."""

    ledger: str
    position: int
    time: int


class Fact:
    """A record as claims read it; data and meta are parsed when they are asked for."""

    __slots__ = ("_data", "_meta", "at", "record", "type")

    def __init__(self, record: Record) -> None:
        self.record, self.type = record, record["type"]
        recorded = moment(record["recorded_at"])
        self.at = At(record["ledger"], int(record["position"]), recorded or 0)
        self._data: Any = None
        self._meta: Any = None

    def value(self, path: str, element: Any) -> Any:
        """What stands at a path; None for nothing."""
        head, *rest = path.split(".")
        found: Any
        if head == "@each":
            found = element
        elif head == "@meta":
            if self._meta is None:
                self._meta = json.loads(self.record["meta"])
            found = self._meta
        elif head.startswith("@"):
            return self.record.get(head[1:])
        else:
            if self._data is None:
                self._data = json.loads(self.record["data"])
            found, rest = self._data, [head, *rest]
        for name in rest:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def key(self, path: str, element: Any) -> str | None:
        """A value as it is compared; nothing is equal to nothing."""
        value = self.value(path, element)
        return None if value is None else json.dumps(value, sort_keys=True)

    def elements(self, path: str) -> Iterator[Any]:
        """What `each` takes the fact apart into; one for a fact that is taken whole."""
        if not path:
            yield None
            return
        told = self.value(path, None)
        if isinstance(told, dict):
            yield from ({"key": key, "value": value} for key, value in sorted(told.items()))
        elif isinstance(told, list):
            yield from told


def holds(test: Test, fact: Fact, element: Any) -> bool:
    """Whether a test of the language is true of a fact, or of one element of it."""
    path, word, value = test
    found = fact.value(path, element)
    match word:
        case "is":
            return bool(found == value and isinstance(found, bool) == isinstance(value, bool))
        case "is_not":
            return not (found == value and isinstance(found, bool) == isinstance(value, bool))
        case "in":
            return found in value
        case "not_in":
            return found not in value
        case "same_as":
            return found is not None and bool(found == fact.value(value, element))
        case "not_same_as":
            return found is None or bool(found != fact.value(value, element))
        case "empty":
            return found in (None, "", [], {})
        case "not_empty":
            return found not in (None, "", [], {})
        case _:
            return _ordered(found, word, value)


def _ordered(found: Any, word: str, value: Any) -> bool:
    """Texts are compared with texts and numbers with numbers; anything else is neither more nor less."""
    number = type(found) in {int, float} and type(value) in {int, float}
    if not number and not (isinstance(found, str) and isinstance(value, str)):
        return False
    return bool(found >= value) if word == "at_least" else bool(found <= value)


def moment(text: Any) -> int | None:
    """Microseconds since 1970 of an ISO 8601 time in UTC; None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    if told.tzinfo is None:
        return None
    gone = told - _EPOCH
    return (gone.days * 86400 + gone.seconds) * 1_000_000 + gone.microseconds


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
