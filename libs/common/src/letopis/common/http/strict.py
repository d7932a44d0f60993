"""JSON as it must be: no deeper than 32, no key twice, no NaN, no NUL, no half of a surrogate pair."""

import json
import math
import re
from typing import Any

from letopis.common.errors import Invalid

DEPTH = 32
# Possessive, so that an unfinished string costs one pass and not a pass for every quote.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


class BodyInvalid(Invalid):
    """The body is not JSON as we take it; nothing of it was used."""

    code = "body.invalid"
    title = "The body is not acceptable JSON"


def check(body: bytes) -> None:
    """BodyInvalid with the reason, or nothing."""
    if _depth(body) > DEPTH:
        raise BodyInvalid(f"the body is nested deeper than {DEPTH}")
    try:
        text = body.decode("utf-8")
        # Names and strings are looked at where they are made; what is made is thrown away.
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except UnicodeDecodeError:
        raise BodyInvalid("the body is not UTF-8") from None
    except RecursionError:
        raise BodyInvalid(f"the body is nested deeper than {DEPTH}") from None
    except json.JSONDecodeError as error:
        raise BodyInvalid(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise BodyInvalid("a number is too long") from None
    if "\\u" in text:
        _walk(found)


def _depth(body: bytes) -> int:
    """How deep brackets stand outside strings; the scan is C's, only brackets come back to Python."""
    if body.count(b"[") + body.count(b"{") <= DEPTH:
        return 0
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BodyInvalid(f"the key {key[:64]!r} stands twice in an object")
            seen.add(key)
    return made


def _constant(name: str) -> Any:
    raise BodyInvalid(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BodyInvalid("a number is larger than any we can keep")
    return value


def _walk(value: Any) -> None:
    """Only escapes can bring a NUL or half a pair into a string: UTF-8 has no lone surrogates, JSON no raw NUL."""
    match value:
        case str():
            _string(value)
        case dict():
            for key, part in value.items():
                _string(key)
                _walk(part)
        case list():
            for part in value:
                _walk(part)
        case _:
            pass


def _string(text: str) -> None:
    if "\x00" in text:
        raise BodyInvalid("a string holds a NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BodyInvalid("a string holds half of a surrogate pair") from None
