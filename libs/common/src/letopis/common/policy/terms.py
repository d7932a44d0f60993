"""What a bank may change without a release, and which way each of it tightens: checked before it becomes policy.

A room's `data.json` says so in `terms`: under the path of a setting (`quota/cores`), the JSON schema of its values, a
label that people read, and `tighter`: `lower` or `higher` for numbers, `fewer` or `more` for lists, `never` where no
department may have a value of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

Tighter = Literal["lower", "higher", "fewer", "more", "never"]
TIGHTER: tuple[str, ...] = get_args(Tighter)
MODES = ("observe", "warn", "prevent")


def at(settings: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as `quota/cores`; KeyError if there is none."""
    found: Any = settings
    for name in path.split("/"):
        if not isinstance(found, Mapping):
            raise KeyError(path)
        found = found[name]
    return found


def put(settings: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which the path holds the value."""
    name, _, rest = path.partition("/")
    return {**settings, name: put(settings.get(name, {}), rest, value) if rest else value}


def misfits(schema: Mapping[str, Any], value: Any, where: str = "it") -> Iterator[str]:
    """What is wrong with a value, in words; the subset of JSON schema that `schema.py` names, and maps of one kind."""
    if "anyOf" in schema:
        if all(any(misfits(one, value, where)) for one in schema["anyOf"]):
            yield f"{where} is none of the kinds that are possible here"
        return
    if not _is_kind(schema.get("type", ""), value):
        yield f"{where} must be of the kind {schema['type']}"
        return
    yield from _bounds(schema, value, where)
    if isinstance(value, str):
        yield from _text(schema, value, where)
    if isinstance(value, list):
        for number, one in enumerate(value, 1):
            yield from misfits(schema.get("items", {}), one, f"entry {number} of {where}")
    if isinstance(value, Mapping):
        yield from _members(schema, value, where)


def loosens(tighter: str, base: Any, value: Any) -> bool:
    """Whether a department's value lets through what the bank's own does not; incomparable values do."""
    match tighter:
        case "lower":
            return not value <= base
        case "higher":
            return not value >= base
        case "fewer":
            return not set(value) <= set(base)
        case "more":
            return not set(value) >= set(base)
        case _:
            return bool(value != base)


def complaints(terms: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a room's `terms` table."""
    for path, term in terms.items():
        if not isinstance(term, dict) or set(term) != {"label", "schema", "tighter"} or not term["label"]:
            yield f"term {path} must have label, schema and tighter"
            continue
        if term["tighter"] not in TIGHTER:
            yield f"term {path}: tighter is none of {', '.join(TIGHTER)}"
        try:
            value = at(settings, path)
        except KeyError:
            yield f"term {path} is not in `settings`"
            continue
        yield from misfits(term["schema"], value, f"setting {path}")
        if term["tighter"] in {"lower", "higher"} and not _is_kind("number", value):
            yield f"term {path}: only a number is lower or higher"
        if term["tighter"] in {"fewer", "more"} and not isinstance(value, list):
            yield f"term {path}: only a list holds fewer or more"


def _bounds(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} must be one of {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where} must be {schema['minimum']} at least"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where} must be {schema['maximum']} at most"


def _text(schema: Mapping[str, Any], value: str, where: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{where} must not be empty"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} has a form that is not possible here"


def _members(schema: Mapping[str, Any], value: Mapping[str, Any], where: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where} lacks {name}"
    for name, one in value.items():
        if name in known:
            yield from misfits(known[name], one, f"{name} of {where}")
        elif others is None:
            yield f"{where} has no {name}"
        else:
            yield from misfits(others, one, f"{name} of {where}")


def _is_kind(kind: str | Sequence[str], value: Any) -> bool:
    if not kind:
        return True
    if not isinstance(kind, str):
        return any(_is_kind(one, value) for one in kind)
    if isinstance(value, bool):
        return kind == "boolean"
    kinds: dict[str, Any] = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "array": list,
        "object": Mapping,
        "null": type(None),
    }
    return kind in kinds and isinstance(value, kinds[kind])
