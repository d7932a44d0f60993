"""Whether every value of one JSON Schema is a value of another, as far as our documents use the language."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
SAME = ("pattern", "format", "contentMediaType", "contentEncoding", "multipleOf", "uniqueItems")
_KINDS = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A schema with the document that its references point into."""

    schema: Any
    document: Mapping[str, Any]

    def part(self, schema: Any) -> "Shape":
        return Shape(schema=schema, document=self.document)

    def flat(self) -> "Shape":
        """The same without a reference or `allOf` at its top."""
        schema = self.schema if isinstance(self.schema, dict) else {}
        while "$ref" in schema:
            schema = {**resolve(self.document, schema["$ref"]), **{k: v for k, v in schema.items() if k != "$ref"}}
        if "allOf" not in schema:
            return self.part(schema)
        merged = {name: value for name, value in schema.items() if name != "allOf"}
        for one in schema["allOf"]:
            merged = _merged(merged, self.part(one).flat().schema)
        return self.part(merged)


def resolve(document: Mapping[str, Any], reference: str) -> Any:
    """What a local reference (`#/components/schemas/Receipt`) names."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = {**one, **other}
    if "properties" in one and "properties" in other:
        names = {**one["properties"], **other["properties"]}
        made["properties"] = {
            name: {"allOf": [one["properties"][name], other["properties"][name]]}
            if name in one["properties"] and name in other["properties"]
            else schema
            for name, schema in names.items()
        }
    if "required" in one or "required" in other:
        made["required"] = sorted({*one.get("required", ()), *other.get("required", ())})
    return made


@dataclass(slots=True)
class Within:
    """Reasons, each with its place, why a value of `small` might be none of `big`; none if all are."""

    # Shapes may contain themselves; a pair under comparison is not compared again.
    _open: list[tuple[int, int]] = field(default_factory=list)

    def reasons(self, small: Shape, big: Shape, place: str = "") -> Iterator[str]:
        pair = (id(small.schema), id(big.schema))
        if pair in self._open:
            return
        self._open.append(pair)
        try:
            yield from self._reasons(small.flat(), big.flat(), place)
        finally:
            self._open.remove(pair)

    def _reasons(self, small: Shape, big: Shape, place: str) -> Iterator[str]:
        one, other = small.schema, big.schema
        if other.get("x-extensible"):
            return
        if alternatives := _alternatives(one):
            for schema in alternatives:
                yield from self.reasons(small.part(schema), big, place)
            return
        if alternatives := _alternatives(other):
            found = [list(self.reasons(small, big.part(schema), place)) for schema in alternatives]
            if all(found):
                yield min(found, key=len)[0]
            return
        if extra := _extra_kinds(_kinds(one), _kinds(other)):
            yield f"{_at(place)} may be {', '.join(extra)}"
            return
        yield from _values(one, other, place)
        yield from _bounds(one, other, place)
        yield from self._object(small, big, place)
        for name in ("items", "contentSchema"):
            if name in other:
                yield from self.reasons(small.part(one.get(name, {})), big.part(other[name]), f"{place}[]")

    def _object(self, small: Shape, big: Shape, place: str) -> Iterator[str]:
        one, other = small.schema, big.schema
        has, wants = one.get("properties", {}), other.get("properties", {})
        for name in sorted(set(other.get("required", ())) - set(one.get("required", ()))):
            yield f"{_at(_within(place, name))} may be absent"
        for name in sorted(set(has) & set(wants)):
            yield from self.reasons(small.part(has[name]), big.part(wants[name]), _within(place, name))
        if other.get("additionalProperties") is False:
            for name in sorted(set(has) - set(wants)):
                yield f"{_at(_within(place, name))} is not known"
        more = other.get("additionalProperties")
        if isinstance(more, dict) and "object" in _kinds(one):
            given = one.get("additionalProperties", {})
            if given is not False:
                yield from self.reasons(small.part(given), big.part(more), f"{place}{{}}")


def _alternatives(schema: Mapping[str, Any]) -> list[Any]:
    """The branches of a union; a rule about which fields are there is none."""
    branches = schema.get("anyOf") or schema.get("oneOf") or []
    return [] if all(set(branch) == {"required"} for branch in branches) else list(branches)


def _kinds(schema: Mapping[str, Any]) -> AbstractSet[str]:
    if "type" in schema:
        kinds = schema["type"]
        return frozenset([kinds] if isinstance(kinds, str) else kinds)
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return _KINDS if values is None else frozenset(_kind(value) for value in values)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _extra_kinds(small: AbstractSet[str], big: AbstractSet[str]) -> list[str]:
    whole = big | {"integer"} if "number" in big else big
    return ["anything"] if small == _KINDS and whole != _KINDS and len(whole) < len(_KINDS) else sorted(small - whole)


def _values(one: Mapping[str, Any], other: Mapping[str, Any], place: str) -> Iterator[str]:
    allowed = other.get("enum", [other["const"]] if "const" in other else None)
    if allowed is None:
        return
    given = one.get("enum", [one["const"]] if "const" in one else None)
    if given is None:
        yield f"{_at(place)} may be any value, not only {', '.join(map(str, allowed))}"
    elif extra := [value for value in given if value not in allowed]:
        yield f"{_at(place)} may be {', '.join(map(str, extra))}"


def _bounds(one: Mapping[str, Any], other: Mapping[str, Any], place: str) -> Iterator[str]:
    for word in LOWER:
        if word in other and one.get(word, float("-inf")) < other[word]:
            yield f"{_at(place)} may fall below {word} {other[word]}"
    for word in UPPER:
        if word in other and one.get(word, float("inf")) > other[word]:
            yield f"{_at(place)} may exceed {word} {other[word]}"
    for word in SAME:
        # A closed list of values needs no pattern; `_values` has looked at it.
        if word in other and one.get(word) != other[word] and "enum" not in one and "const" not in one:
            yield f"{_at(place)} may differ from {word} {other[word]}"


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _at(place: str) -> str:
    return place or "the value"
