"""Proving of a policy that saying less never permits more."""

import copy
from collections.abc import Iterator
from typing import Any

from letopis.common.policy.engine import Engine, PolicyUndefined


def assert_monotone(engine: Engine, service: str, question: dict[str, Any]) -> None:
    """Every field of the input removed in turn: a denial stays one, a mode or an obligation is never lost to a yes."""
    whole = _answer(engine, service, question)
    for path, poorer in without_each_field(question):
        answer = _answer(engine, service, poorer)
        if not answer["allow"]:
            continue
        if not whole["allow"]:
            raise AssertionError(f"without {path} the denied question is allowed: {question}")
        for key in ("warned", "observed", "obligations"):
            lost = [one for one in whole[key] if one not in answer[key]]
            if lost:
                raise AssertionError(f"without {path} the answer loses {key} {lost}: {question}")


def without_each_field(document: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The document once for each of its fields, nested and listed ones too, with that field removed."""
    match document:
        case dict():
            for key, value in document.items():
                yield f"{prefix}{key}", {one: copy.deepcopy(kept) for one, kept in document.items() if one != key}
                for path, inner in without_each_field(value, f"{prefix}{key}."):
                    yield path, copy.deepcopy(document) | {key: inner}
        case list():
            for index, value in enumerate(document):
                for path, inner in without_each_field(value, f"{prefix}{index}."):
                    yield path, [inner if at == index else copy.deepcopy(one) for at, one in enumerate(document)]
        case _:
            pass


def _answer(engine: Engine, service: str, question: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = engine.evaluate(f"letopis.{service}.authorize", question)
    except PolicyUndefined:
        return {"allow": False, "warned": [], "observed": [], "obligations": []}
    return answer
