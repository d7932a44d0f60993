"""Questions made of an action's schema: most fit, some are broken, and names meet often enough for rules to fire."""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from letopis.common.policy.schema import MOMENT, QUESTION
from letopis.common.policy.sources import Bundle

PEOPLE = ("anna", "boris", "olga", "bank-app", "service:monitoring", "group:risk", "")
MOMENTS = (
    "2025-01-01T00:00:00.000000Z",
    "2026-11-21T06:55:08.123456Z",
    "2026-12-31T23:59:59.999999Z",
    "2030-01-01T00:00:00.000000Z",
)
PATHS = ("panel.bill", "panel.email", "people.phone")
# What no schema of ours has asked for, at the edges of what JSON can say.
STRANGE: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    2**53,
    -0.0,
    0.1,
    1e21,
    1e-7,
    True,
    [],
    {},
    [None],
    "\u00e9<&>\u2028",
    "\U0001f600",
    "x" * 300,
)
_WORD = re.compile(r'"([^"\\\n]{1,40})"')


def questions(
    bundle: Bundle, actions: Sequence[str], count: int, seed: int = 0, *, whole: bool = False
) -> Iterator[dict[str, Any]]:
    """`count` questions about the actions, the same for the same seed; `whole` ones all fit their schemas."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret.
    tables, schemas = bundle.data["bundle"]["actions"], bundle.data["bundle"]["schemas"]
    words = {action: _words(bundle, action) for action in actions}
    for number in range(count):
        action = actions[number % len(actions)]
        make = _Maker(random, words[action])
        question = make.value(schemas[action])
        question["action"] = action
        make.optional(question)
        granted = [role for role in tables[action]["roles"] if role != "*"]
        if granted and random.random() < 0.8:
            question["subject"]["roles"] = sorted({random.choice(granted), *question["subject"]["roles"]})
        if not whole and random.random() < 0.25:
            question = broken(question, random)
        yield question


def broken(question: dict[str, Any], random: Random) -> dict[str, Any]:
    """The question with one of its fields away or strange."""
    node = question
    while True:
        key = random.choice(sorted(node))
        inner = node[key]
        if isinstance(inner, dict) and inner and random.random() < 0.8:
            node = inner
            continue
        if random.random() < 0.5:
            del node[key]
        else:
            node[key] = random.choice(STRANGE)
        return question


def _words(bundle: Bundle, action: str) -> tuple[str, ...]:
    """The texts that the room's rules compare with, so that questions come near them."""
    service, room, _ = action.split(".")
    module = bundle.modules.get(f"letopis/{service}/{room}/policy.rego", "")
    return tuple(sorted(set(_WORD.findall(module))))


class _Maker:
    def __init__(self, random: Random, words: tuple[str, ...]) -> None:
        self.random = random
        self.texts = (*PEOPLE, *PATHS, *words, *words)
        self.said: list[str] = ["anna"]

    def optional(self, question: dict[str, Any]) -> None:
        """Most of what a question says beside what its action requires."""
        for path, schema in QUESTION.items():
            head, _, tail = path.partition(".")
            if tail and self.random.random() < 0.8:
                question.setdefault(head, {}).setdefault(tail, self.value(schema))
        for path in ("attributes", "facts"):
            node = question.setdefault("object", {}) if path == "attributes" else question
            node.setdefault(path, {})

    def value(self, schema: dict[str, Any]) -> Any:
        random = self.random
        if "anyOf" in schema:
            return self.value(random.choice(schema["anyOf"]))
        if "enum" in schema:
            return random.choice(schema["enum"])
        match schema.get("type", "string"):
            case "object":
                needed = set(schema.get("required", ()))
                parts = schema.get("properties", {}).items()
                return {name: self.value(part) for name, part in parts if name in needed or random.random() < 0.8}
            case "array":
                return [self.value(schema.get("items", {})) for _ in range(random.choice((0, 1, 1, 2, 3)))]
            case "boolean":
                return random.random() < 0.5
            case "integer":
                return random.choice((1, 1, 2, 3, 4, 9))
            case "number":
                return random.choice((0, 0.02, 0.1, 0.25, 0.3, 0.5, 1, 2, 4, 12, 20.5, -1))
            case "null":
                return None
            case _ if schema.get("pattern") == MOMENT["pattern"]:
                return random.choice(MOMENTS)
            case _:
                # Half of the names were named before: rules are about who is the same as whom.
                text = random.choice(self.said if random.random() < 0.5 else self.texts)
                self.said.append(text)
                return text or ("x" if schema.get("minLength") else "")
