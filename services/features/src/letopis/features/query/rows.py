"""Which rows may be seen: conditions that policy imposes, as trees with bound values, applied to data and never to SQL.

`{"op": "in", "column": c, "values": [...]}`, `{"op": "=" | "<" | "<=" | ">" | ">=", "column": c, "value": v}`,
`{"op": "and" | "or", "of": [...]}`. A missing value fulfils no comparison, so its row is not seen. What is not of this
shape is no condition: the read is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from letopis.common.errors import LetopisError

COMPARISONS = {"=": "equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
DEEPEST = 8


class ConditionUnknown(LetopisError):
    """Policy imposed a condition on rows that nobody here understands; nothing is read."""

    code = "query.condition_unknown"
    title = "Policy limits the rows in a way that this service does not know"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One column against one value, or against any of several."""

    column: str
    op: str
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """All of the parts, or any of them."""

    op: str
    of: tuple["Condition", ...]


Condition = Compared | Joined


def imposed(obligations: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Condition, ...]]:
    """The conditions by source; all of a source's conditions hold together."""
    found: dict[str, tuple[Condition, ...]] = {}
    for one in obligations:
        if one["type"] != "rows":
            continue
        if set(one) != {"type", "source", "where"} or not isinstance(one["source"], str):
            raise ConditionUnknown("an obligation on rows has no source or no condition")
        found[one["source"]] = (*found.get(one["source"], ()), parse(one["where"]))
    return found


def parse(tree: Any, depth: int = 0) -> Condition:
    """The condition that a tree says, or ConditionUnknown."""
    if not isinstance(tree, Mapping) or depth > DEEPEST:
        raise ConditionUnknown("a condition is no tree of ours")
    match dict(tree):
        case {"op": "and" | "or" as op, "of": [*parts], **rest} if parts and not rest:
            return Joined(op=op, of=tuple(parse(one, depth + 1) for one in parts))
        case {"op": "in", "column": str() as column, "values": [*values], **rest} if not rest:
            return Compared(column=column, op="in", values=tuple(map(_value, values)))
        case {"op": op, "column": str() as column, "value": value, **rest} if op in COMPARISONS and not rest:
            return Compared(column=column, op=op, values=(_value(value),))
        case _:
            raise ConditionUnknown("a condition is no tree of ours")


def columns_of(conditions: Sequence[Condition]) -> set[str]:
    """The columns that the conditions look at."""
    found: set[str] = set()
    for one in conditions:
        found |= {one.column} if isinstance(one, Compared) else columns_of(one.of)
    return found


def seen(table: Any, conditions: Sequence[Condition]) -> Any:
    """The rows of an Arrow table that fulfil all conditions, on values as they are, before any mask."""
    import pyarrow.compute as pc

    for one in conditions:
        table = table.filter(pc.fill_null(_holds(table, one), fill_value=False))
    return table


def _holds(table: Any, condition: Condition) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(condition, Joined):
        join = pc.and_ if condition.op == "and" else pc.or_
        # A missing value is no: `or` of it and a yes is a yes.
        first, *others = (pc.fill_null(_holds(table, one), fill_value=False) for one in condition.of)
        for other in others:
            first = join(first, other)
        return first
    column = table.column(condition.column)
    try:
        values = pa.array(list(condition.values)).cast(column.type) if condition.values else pa.array([], column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ConditionUnknown(f"column {condition.column} cannot be compared with what policy says") from error
    if condition.op == "in":
        return pc.and_(pc.is_valid(column), pc.is_in(column, value_set=values))
    return getattr(pc, COMPARISONS[condition.op])(column, values[0])


def _value(value: Any) -> str | int | float | bool:
    if not isinstance(value, str | int | float | bool):
        raise ConditionUnknown("a condition is compared with texts, numbers and truths")
    return value
