"""The JSON Schema (2020-12) of reports of one definition, pure."""

from typing import Any

from letopis.audit.report.definition import Column, Definition
from letopis.audit.report.document import FORMAT, STATES

_WORDS = {
    "type": "object",
    "properties": {"en": {"type": "string"}, "ru": {"type": "string"}},
    "required": ["en", "ru"],
    "additionalProperties": False,
}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_VALUES: dict[str, list[str]] = {
    "list": ["array", "null"],
    "number": ["number", "null"],
    "hours": ["number", "null"],
    "share": ["number", "null"],
    "flag": ["boolean", "null"],
}


def schema(definition: Definition) -> dict[str, Any]:
    """What every report of this definition keeps to; nothing stands in it that is not told here."""
    head = _object(position=_COUNT, root=_HASH, first_position=_COUNT, gaps={"const": 0})
    about = _object(
        type={"const": definition.type},
        schema_version={"const": definition.schema_version},
        title=_WORDS,
        lead=_WORDS,
        jurisdiction=_list(_TEXT),
        definition_sha256=_HASH,
        generator_sha256=_HASH,
        main={"const": definition.main},
    )
    number = _object(id=_TEXT, title=_WORDS, kind=_TEXT, value={"type": ["number", "string", "null"]})
    counts = _object(**dict.fromkeys(STATES, _COUNT))
    figure = _object(section=_TEXT, title=_WORDS, label=_TEXT, value=_TEXT, kind=_TEXT)
    source = _object(
        id=_TEXT, title=_TEXT, jurisdiction=_TEXT, read={"type": "string"}, checked={"type": "boolean"}, says=_WORDS
    )
    sections = [
        _object(
            id={"const": one.id},
            title=_WORDS,
            lead=_WORDS,
            empty=_WORDS,
            columns=_list(_object(id=_TEXT, title=_WORDS, kind=_TEXT)),
            rows=_list(_fixed([_cell(column) for column in one.columns])),
        )
        for one in definition.sections
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.title["en"],
        **_object(
            format={"const": FORMAT},
            report=about,
            scope={"type": "object", "additionalProperties": _TEXT},
            as_of={"type": "object", "additionalProperties": head},
            redaction=_WORDS,
            rows=_COUNT,
            summary=_object(checks=counts, numbers=_list(number)),
            checks=_fixed([_check(one.id) for one in definition.checks]),
            sections=_fixed(sections),
            figures=_list(figure),
            sources=_list(source),
        ),
    }


def _check(id: str) -> dict[str, Any]:
    """A check is always there: passed, with gaps, or not applicable with a reason."""
    named = _object(name=_TEXT, place={"type": ["string", "null"]})
    told = _object(
        id={"const": id},
        title=_WORDS,
        state={"enum": list(STATES)},
        of=_COUNT,
        gaps=_COUNT,
        named=_list(named),
        why={"anyOf": [_WORDS, {"type": "null"}]},
        sources=_list(_TEXT),
    )
    reasoned = {
        "if": {"properties": {"state": {"const": "not_applicable"}}},
        "then": {"properties": {"why": _WORDS}},
    }
    return {**told, **reasoned}


def _cell(column: Column) -> dict[str, Any]:
    return {"type": _VALUES.get(column.kind, ["string", "null"])}


def _fixed(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "array", **({"prefixItems": items} if items else {}), "items": False, "minItems": len(items)}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _object(**properties: Any) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
