"""Proving of a policy that saying less never permits more."""

import copy
from collections.abc import Iterator
from typing import Any

from letopis.common.policy.engine import Engine, PolicyUndefined
from letopis.common.policy.sources import Bundle


def assert_monotone(bundle: Bundle, service: str, question: dict[str, Any]) -> None:
    """Every field of the input removed in turn: a denial stays one, a mode or an obligation is never lost to a yes."""
    engine = Engine(bundle)
    try:
        whole = _answer(engine, service, question)
        for path, poorer in without_each_field(question):
            answer = _answer(engine, service, poorer)
            if not answer["allow"]:
                continue
            if not whole["allow"]:
                raise AssertionError(f"without {path} the denied question is allowed")
            for key in ("warned", "observed", "obligations"):
                lost = [one for one in whole[key] if one not in answer[key]]
                if lost:
                    raise AssertionError(f"without {path} the answer loses {key} {lost}")
    finally:
        engine.close()


def without_each_field(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The document once for each of its fields, nested ones too, with that field removed."""
    for key, value in document.items():
        poorer = copy.deepcopy(document)
        del poorer[key]
        yield prefix + key, poorer
        if isinstance(value, dict):
            for path, inner in without_each_field(value, f"{prefix}{key}."):
                yield path, copy.deepcopy(document) | {key: inner}


def _answer(engine: Engine, service: str, question: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = engine.evaluate(f"letopis.{service}.authorize", question)
    except PolicyUndefined:
        return {"allow": False, "warned": [], "observed": [], "obligations": []}
    return answer
