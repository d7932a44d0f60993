"""JSON Schemas of facts: the shape of the canonical text that is stored, hashed and published."""

from collections.abc import Mapping
from typing import Any

import msgspec

from letopis.common.serialization import BigInt, Catalogue, Real, personal

COMPONENT = "#/components/schemas/{name}"
_SEALED = {"type": "string", "pattern": r"^sealed\.v1\."}
_OWN: dict[type, dict[str, Any]] = {
    BigInt: {"type": "string", "pattern": "^-?[0-9]+$"},
    Real: {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
}


def schema_name(type: str, schema_version: int) -> str:
    """The name under which the document holds the schema of a fact."""
    return f"{type}.v{schema_version}"


def schemas(facts: Catalogue) -> dict[str, dict[str, Any]]:
    """Every fact by `schema_name`, and what they are made of by class name.

    They tell what is stored: a personal field is its sealed text, and carries `x-personal`.
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
    for schema in named.values():
        _complete(schema)
    for type, version, kind in facts.entries:
        _seal(named[schema_name(type, version)], personal(kind))
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


def _complete(schema: dict[str, Any]) -> None:
    """Every field is present in canonical text, so every one is required and none has a default."""
    if "properties" in schema:
        schema["required"] = list(schema["properties"])
        for part in schema["properties"].values():
            part.pop("default", None)


def _seal(schema: dict[str, Any], marked: Mapping[str, str]) -> None:
    """What stands in a personal field is a sealed text; what it was before is told beside it."""
    for field, subject in marked.items():
        content = schema["properties"][field]
        schema["properties"][field] = _SEALED | {"x-personal": {"subject": subject, "content": content}}
