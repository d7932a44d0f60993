"""The JSON schema of a question, one for each action: what the gate demands before a rule is heard.

A room says in `data.json` which paths an action requires and what the fields of its own hold (`fields`); what every
question holds stands here. The composed schema (draft 7) is part of the bundle, so both engines judge by the same one.
"""

from collections.abc import Mapping
from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
NAMES: dict[str, Any] = {"type": "array", "items": TEXT}
MOMENT: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$",
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
    """The schema of an action's question: its required paths are there and not empty, all paths are of their type."""
    required = {*ALWAYS, *action.get("requires", ())}
    root: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    known = {**QUESTION, **fields}
    for path in sorted({*known, *required}):
        fragment = dict(known.get(path, {}))
        if path in required:
            fragment = _filled(fragment)
        _put(root, path.split("."), fragment, required=path in required)
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


def _put(node: dict[str, Any], path: list[str], fragment: dict[str, Any], *, required: bool) -> None:
    name, rest = path[0], path[1:]
    if required and name not in node["required"]:
        node["required"].append(name)
    if not rest:
        node["properties"][name] = fragment
        return
    inner = node["properties"].setdefault(name, {"type": "object", "properties": {}, "required": []})
    # A field may be declared as a whole and by its parts.
    inner.setdefault("properties", {})
    inner.setdefault("required", [])
    _put(inner, rest, fragment, required=required)
