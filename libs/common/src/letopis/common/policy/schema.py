"""The JSON schema of a question, one for each action: what the gate demands before a rule is heard.

A room says in `data.json` which paths an action requires and what the fields of its own hold (`fields`); what every
question holds stands here. The composed schema (draft 7) is part of the bundle, so both engines judge by the same one.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
NAMES: dict[str, Any] = {"type": "array", "items": TEXT}
# Always six digits: the order of such texts is the order of time, and rules may compare them as they are.
MOMENT: dict[str, Any] = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
}
# What every question may say, whatever the action; a room adds fields below `object.attributes` and `facts`.
QUESTION: dict[str, dict[str, Any]] = {
    "action": TEXT,
    "subject.person": TEXT,
    "subject.login": TEXT,
    "subject.service": TEXT,
    "subject.roles": NAMES,
    "subject.groups": NAMES,
    "subject.act": TEXT,
    "subject.mfa_at": {"anyOf": [MOMENT, {"type": "null"}]},
    "subject.trainings": NAMES,
    "purpose": TEXT,
    "object.type": TEXT,
    "object.id": TEXT,
    "object.tenant": TEXT,
    "context.time": MOMENT,
}
ALWAYS = ("action", "subject.login", "subject.roles", "subject.groups", "context.time")
OWN = ("object.attributes.", "facts.")
# What the generator of questions and the reader of a refusal understand; a fragment says nothing else.
WORDS = frozenset(
    {"type", "enum", "items", "properties", "required", "pattern", "minLength", "minimum", "maximum", "anyOf"}
)


def compose(action: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of an action's question: its required paths are there, not empty, and of their type.

    It says nothing of other paths: a field that makes a question wrong would make it right by going away.
    """
    root: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    known = {**QUESTION, **fields}
    # In order of names a field that is required as a whole comes before its parts.
    for path in sorted({*ALWAYS, *action.get("requires", ())}):
        _put(root, path.split("."), _filled(deepcopy(dict(known.get(path, {})))))
    return root


def unknown_words(fragment: Mapping[str, Any]) -> set[str]:
    """The words of a fragment, nested ones too, that the house's subset of JSON schema lacks."""
    found = set(fragment) - WORDS
    nested = [*fragment.get("properties", {}).values(), *fragment.get("anyOf", ())]
    nested += [fragment["items"]] if isinstance(fragment.get("items"), Mapping) else []
    return found.union(*(unknown_words(one) for one in nested))


def _filled(fragment: dict[str, Any]) -> dict[str, Any]:
    """A required field is neither null nor an empty text."""
    if not fragment:
        return {"type": ["string", "number", "boolean", "array", "object"], "minLength": 1}
    if "anyOf" in fragment:
        return {"anyOf": [one for one in fragment["anyOf"] if one.get("type") != "null"]}
    return {"minLength": 1} | fragment if fragment.get("type") == "string" else fragment


def _put(node: dict[str, Any], path: list[str], fragment: dict[str, Any]) -> None:
    name, rest = path[0], path[1:]
    node.setdefault("required", [])
    if name not in node["required"]:
        node["required"].append(name)
    properties = node.setdefault("properties", {})
    if rest:
        _put(properties.setdefault(name, {"type": "object"}), rest, fragment)
    else:
        properties[name] = fragment
