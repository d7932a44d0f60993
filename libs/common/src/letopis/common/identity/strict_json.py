"""JSON with one meaning only: no duplicate names, no NaN, no numbers that other readers would round."""

import json
from math import isfinite
from typing import Any, NoReturn

LONGEST_NUMBER = 24
# Far below what any interpreter recurses to, so that the answer never depends on how deep the caller stands.
DEEPEST = 32


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data` (UTF-8); ValueError says what is wrong with it."""
    try:
        text = data.decode("utf-8", errors="strict")
        document = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer, parse_float=_real
        )
        _shallow(document)
        # A lone surrogate has no UTF-8 form: UnicodeEncodeError is a ValueError too.
        json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 one kind of complaint
    return document


def _shallow(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST + 1):
        level = [part for one in level if isinstance(one, dict | list) for part in _parts(one)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _parts(one: dict[str, Any] | list[Any]) -> list[Any]:
    return list(one.values()) if isinstance(one, dict) else one


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name stands twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("an integer is too long")
    return int(digits)


def _real(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    value = float(digits)
    if not isfinite(value):
        raise ValueError("a number is larger than any we can keep")
    return value
