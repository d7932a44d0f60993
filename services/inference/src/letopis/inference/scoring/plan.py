"""How a request becomes the model's input row, generated from the signature of the version's manifest."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from letopis.common.errors import Invalid
from letopis.inference.decision.events import FieldProblem

Value = float | int | str | bool | None
LARGEST = 2**53 - 1
MOST_ROWS = 1000
_KINDS: dict[str, Any] = {
    "double": float,
    "long": Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)],
    "boolean": bool,
    "string": str,
}
_SAID = {
    "double": "a number",
    "long": "a whole number between -(2^53-1) and 2^53-1",
    "boolean": "true or false",
    "string": "a text",
}


class BadRows(Invalid):
    """A request names fields that the signature does not know, or holds values of another type."""

    code = "scoring.bad_rows"
    title = "The rows do not fit the signature of this application"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        fields = ", ".join(dict.fromkeys(one.field or "the body" for one in problems))
        super().__init__(
            f"cannot be scored: {fields}", errors=[{"field": one.field, "message": one.message} for one in problems]
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of the model; `kind` is double, long, boolean or string."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parsed row: the entity it is about, the given values, and the names still to be looked up."""

    entity_id: str
    inputs: dict[str, Value]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a version asks of a request. With a feature bundle, inputs that the request leaves out are looked up."""

    inputs: tuple[Input, ...]
    entity: str
    bundle: str | None
    _one: msgspec.json.Decoder[Any] = field(repr=False)
    _many: msgspec.json.Decoder[Any] = field(repr=False)

    def parse(self, body: bytes) -> tuple[list[Row], bool]:
        """Rows of a body that is one JSON object or an array of them, and whether it was one; BadRows."""
        single = body.lstrip()[:1] != b"["
        try:
            rows = [self._one.decode(body)] if single else self._many.decode(body)
        except msgspec.MsgspecError as error:
            raise BadRows(self._problems(body, str(error))) from None
        return [self._row(row) for row in rows], single

    def row(self, entity_id: str, given: Mapping[str, Value]) -> Row:
        """A row from typed values, as a batch job has them."""
        absent = tuple(one.name for one in self.inputs if one.name not in given)
        return Row(entity_id=entity_id, inputs=dict(given), absent=absent)

    def vector(self, inputs: Mapping[str, Value]) -> list[float]:
        """The numbers the model sees, in the order of the signature; missing values are NaN."""
        return [number(inputs.get(one.name)) for one in self.inputs]

    def missing(self, inputs: Mapping[str, Value]) -> list[FieldProblem]:
        """Required inputs that have no value."""
        return [
            FieldProblem(field=one.name, message="is required and has no value")
            for one in self.inputs
            if one.required and inputs.get(one.name) is None
        ]

    def _row(self, parsed: Any) -> Row:
        values = msgspec.structs.astuple(parsed)
        entity = values[0]
        inputs: dict[str, Value] = {}
        absent = []
        for one, value in zip(self.inputs, values[1:], strict=True):
            if value is msgspec.UNSET:
                absent.append(one.name)
            else:
                inputs[one.name] = value
        return Row(entity_id="" if entity is None else str(entity), inputs=inputs, absent=tuple(absent))

    def _problems(self, body: bytes, told: str) -> list[FieldProblem]:
        """Every field that is wrong, where decoding stops at the first."""
        try:
            document = msgspec.json.decode(body)
        except msgspec.MsgspecError:
            return [FieldProblem(field="", message=f"the body is not valid JSON: {told}")]
        rows = document if isinstance(document, list) else [document]
        if len(rows) > MOST_ROWS or not rows:
            return [FieldProblem(field="", message=f"send between 1 and {MOST_ROWS} rows at once")]
        found: dict[FieldProblem, None] = {}
        for row in rows:
            if not isinstance(row, dict):
                return [FieldProblem(field="", message="each row is a flat JSON object")]
            found.update(dict.fromkeys(self._row_problems(row)))
        return list(found) or [FieldProblem(field="", message=told)]

    def _row_problems(self, row: dict[str, Any]) -> list[FieldProblem]:
        known = {one.name: one for one in self.inputs}
        problems = [
            FieldProblem(field=name, message="is not in the signature of this application")
            for name in row
            if name not in known and name != self.entity
        ]
        for name, one in known.items():
            if name in row and not _fits(row[name], one.kind):
                problems.append(FieldProblem(field=name, message=f"must be {_SAID[one.kind]} or null"))
        if self.entity in row and self.entity not in known and not _fits_entity(row[self.entity]):
            problems.append(FieldProblem(field=self.entity, message="must be a text or a whole number"))
        return problems


def plan_of(manifest: Mapping[str, Any]) -> Plan:
    """The plan of a manifest; Invalid if its signature cannot be served."""
    inputs = tuple(
        Input(name=one["name"], kind=one["type"], required=bool(one.get("required", True)))
        for one in manifest["signature"]["inputs"]
    )
    if strings := [one.name for one in inputs if one.kind == "string"]:
        raise Invalid(f"text inputs are not served yet: {', '.join(strings)}; encode them as numbers in training")
    features = manifest.get("features") or {}
    entity = str(features.get("entity") or "entity_id")
    fields: list[tuple[str, Any, Any]] = [("entity", str | int | None, None)]
    fields += [
        (f"f{number}", _KINDS[one.kind] | None | msgspec.UnsetType, msgspec.UNSET) for number, one in enumerate(inputs)
    ]
    names = {"entity": entity} | {f"f{number}": one.name for number, one in enumerate(inputs)}
    if entity in {one.name for one in inputs}:
        raise Invalid(f"{entity!r} names the entity and cannot be an input as well")
    struct = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True)
    many = Annotated[list[struct], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]  # type: ignore[valid-type]
    return Plan(
        inputs=inputs,
        entity=entity,
        bundle=features.get("bundle") or None,
        _one=msgspec.json.Decoder(struct),
        _many=msgspec.json.Decoder(many),
    )


def number(value: Value) -> float:
    """A value as the model's number: null is NaN, true is one."""
    return math.nan if value is None else float(value)


def _fits(value: Any, kind: str) -> bool:
    try:
        msgspec.convert(value, _KINDS[kind] | None, strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _fits_entity(value: Any) -> bool:
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))
