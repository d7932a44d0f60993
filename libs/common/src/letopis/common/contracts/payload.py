"""JSON Schemas of facts: the shape of the canonical text that is stored, hashed and published."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import msgspec

from letopis.common.serialization import BigInt, Catalogue, Personal, Real

COMPONENT = "#/components/schemas/{name}"
_OWN: dict[type, dict[str, Any]] = {
    BigInt: {"type": "string", "pattern": "^-?[0-9]+$"},
    Real: {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
}


def schema_name(type: str, schema_version: int) -> str:
    """The name under which the document holds the schema of a fact."""
    return f"{type}.v{schema_version}"


def schemas(facts: Catalogue) -> dict[str, dict[str, Any]]:
    """Every fact by `schema_name`, and what they are made of by class name.

    Every field is present in canonical text, so every one is required; personal ones carry `x-personal`.
    """
    told, components = msgspec.json.schema_components(
        [kind for _, _, kind in facts.entries], schema_hook=_own, ref_template=COMPONENT
    )
    named: dict[str, dict[str, Any]] = {}
    renamed: dict[str, str] = {}
    for (type, version, _), reference in zip(facts.entries, told, strict=True):
        renamed[reference["$ref"].rpartition("/")[2]] = schema_name(type, version)
    for name, schema in components.items():
        named[renamed.get(name, name)] = _referring(schema, renamed)
    marks = dict(_marks(kind for _, _, kind in facts.entries))
    for schema in named.values():
        _complete(schema, marks)
    return dict(sorted(named.items()))


def _own(kind: type) -> dict[str, Any]:
    if kind in _OWN:
        return dict(_OWN[kind])
    raise NotImplementedError(f"{kind} has no schema")


def _referring(schema: Any, renamed: dict[str, str]) -> Any:
    """The schema with its references to facts under their stored names."""
    match schema:
        case {"$ref": str(reference), **rest}:
            name = reference.rpartition("/")[2]
            return {"$ref": COMPONENT.format(name=renamed.get(name, name)), **rest}
        case dict():
            return {key: _referring(part, renamed) for key, part in schema.items()}
        case list():
            return [_referring(part, renamed) for part in schema]
        case _:
            return schema


def _complete(schema: dict[str, Any], marks: dict[str, dict[str, str]]) -> None:
    if "properties" not in schema:
        return
    properties: dict[str, dict[str, Any]] = schema["properties"]
    schema["required"] = list(properties)
    for name, subject in marks.get(schema.get("title", ""), {}).items():
        properties[name]["x-personal"] = {"subject": subject}
    for part in properties.values():
        part.pop("default", None)


def _marks(kinds: Iterable[Any]) -> Iterable[tuple[str, dict[str, str]]]:
    """The personal fields of every dataclass within these, each with the field that names its subject."""
    seen: set[type] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        waiting += getattr(kind, "__args__", ())
        if not isinstance(kind, type) or kind in seen or not is_dataclass(kind):
            continue
        seen.add(kind)
        hints = get_type_hints(kind, include_extras=True)
        waiting += list(hints.values())
        found = {
            one.name: mark.subject
            for one in fields(kind)
            for mark in getattr(hints[one.name], "__metadata__", ())
            if isinstance(mark, Personal)
        }
        if found:
            yield kind.__name__, found
