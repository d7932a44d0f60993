"""Expressions of report definitions, pure: read by Python's own parser, evaluated here node by node.

Names are fields of a fact or columns of a row, absent ones are None. A comparison with None is false, but for `==`,
`!=` and `in`. An expression has no loops but list comprehensions over one list, and calls the functions below alone.
"""

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from statistics import fmean, median
from typing import Any

Env = Mapping[str, Any]
Compiled = Callable[[Env], Any]

LONGEST = 600
SECONDS_OF_DAY = 86_400


class BadExpression(Exception):
    """The text is no expression of this language."""


def compiled(text: str) -> Compiled:
    """The expression as a function of names; BadExpression with the reason."""
    if len(text) > LONGEST:
        raise BadExpression(f"an expression has at most {LONGEST} letters")
    try:
        return _node(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise BadExpression(f"{text!r} cannot be read: {error}") from None


def _node(node: ast.expr) -> Compiled:  # noqa: C901 one closed list of kinds
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
            return lambda _env: value
        case ast.Name(id=name):
            return lambda env: env.get(name)
        case ast.Attribute(value=base, attr=name):
            of = _node(base)
            return lambda env: _member(of(env), name)
        case ast.BoolOp(op=op, values=values):
            return _either([_node(one) for one in values], stop=isinstance(op, ast.Or))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _node(operand)
            return lambda env: not inner(env)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            compare, one, other = _COMPARED[type(op)], _node(left), _node(right)
            return lambda env: compare(one(env), other(env))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _JOINED:
            join, one, other = _JOINED[type(op)], _node(left), _node(right)
            return lambda env: _both(join, one(env), other(env))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            when, then, other = _node(test), _node(body), _node(orelse)
            return lambda env: then(env) if when(env) else other(env)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            items = [_node(one) for one in elements]
            return lambda env: [item(env) for item in items]
        case ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=name)) as each]):
            return _listed(_node(element), _node(each.iter), [_node(one) for one in each.ifs], name)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            function, given = FUNCTIONS[name], [_node(one) for one in args]
            return lambda env: function(*(one(env) for one in given))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in SEEING:
            seeing, given = SEEING[name], [_node(one) for one in args]
            return lambda env: seeing(env, *(one(env) for one in given))
        case _:
            raise BadExpression(f"{ast.unparse(node)!r} is not part of the language of definitions")


def _either(parts: list[Compiled], *, stop: bool) -> Compiled:
    """`and` and `or` as Python has them: the first value that decides, else the last."""

    def told(env: Env) -> Any:
        value = None
        for part in parts:
            value = part(env)
            if bool(value) == stop:
                return value
        return value

    return told


def _listed(element: Compiled, over: Compiled, tests: list[Compiled], name: str) -> Compiled:
    def told(env: Env) -> list[Any]:
        each = ({**env, name: item} for item in over(env) or ())
        return [element(one) for one in each if all(test(one) for test in tests)]

    return told


def _member(value: Any, name: str) -> Any:
    return value.get(name) if hasattr(value, "get") else None


def _both(join: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    return None if one is None or other is None else join(one, other)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: one is not None and other is not None and compare(one, other)


_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda one, other: bool(one == other),
    ast.NotEq: lambda one, other: bool(one != other),
    ast.In: lambda one, other: one in (other or ()),
    ast.NotIn: lambda one, other: one not in (other or ()),
    ast.Lt: _ordered(lambda one, other: one < other),
    ast.LtE: _ordered(lambda one, other: one <= other),
    ast.Gt: _ordered(lambda one, other: one > other),
    ast.GtE: _ordered(lambda one, other: one >= other),
}
_JOINED: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
}


def moment(text: str) -> datetime:
    """An RFC 3339 time; a date alone is its first moment in UTC."""
    told = datetime.fromisoformat(text)
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def hours(start: str | None, end: str | None) -> float | None:
    """Hours from one time to another, to the thousandth."""
    if not start or not end:
        return None
    return round((moment(end) - moment(start)).total_seconds() / 3600, 3)


def workdays(start: str | None, end: str | None) -> float | None:
    """Days between two times without Saturdays and Sundays (UTC), to the thousandth; holidays are not known here."""
    if not start or not end:
        return None
    at, until, seconds = moment(start), moment(end), 0.0
    while at < until:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        upto = min(midnight, until)
        if at.weekday() < 5:
            seconds += (upto - at).total_seconds()
        at = upto
    return round(seconds / SECONDS_OF_DAY, 3)


def quarter(text: str | None) -> str | None:
    """`2026-Q4`."""
    return f"{text[:4]}-Q{(int(text[5:7]) + 2) // 3}" if text else None


def quantile(values: list[Any] | None, share: float) -> float | None:
    """The value below which a share of the values lies (nearest rank), None of none."""
    known = sorted(one for one in values or () if one is not None)
    return known[max(0, ceil(share * len(known)) - 1)] if known else None


def _known(function: Callable[[list[Any]], Any]) -> Callable[[list[Any] | None], Any]:
    def told(values: list[Any] | None) -> Any:
        known = [one for one in values or () if one is not None]
        return function(known) if known else None

    return told


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else round(part / whole, 4)


def _distinct(values: list[Any] | None) -> list[Any]:
    return sorted({one for one in values or () if one is not None})


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "count": lambda values: len(values or ()),
    "filled": lambda value: value not in (None, "", [], {}, ()),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "distinct": _distinct,
    "join": lambda values, between: between.join(str(one) for one in values or ()),
    "keys": lambda value: sorted(value or {}),
    "entries": lambda value: [f"{name}.{one}" for name, all_ in sorted((value or {}).items()) for one in all_],
    "get": _member,
    "pluck": lambda rows, name: [row.get(name) for row in rows or ()],
    "begins": lambda text, start: bool(text) and text.startswith(start),
    "after": lambda text, mark: text.partition(mark)[2] if text else None,
    "day": lambda text: text[:10] if text else None,
    "month": lambda text: text[:7] if text else None,
    "quarter": quarter,
    "hours": hours,
    "workdays": workdays,
    "median": _known(lambda known: round(median(known), 3)),
    "mean": _known(lambda known: round(fmean(known), 3)),
    "total": _known(sum),
    "least": _known(min),
    "most": _known(max),
    "quantile": quantile,
    "share": _share,
    "text": lambda value: "" if value is None else str(value),
}


def _rows(env: Env, table: str, column: str | None = None, value: Any = None) -> list[Any]:
    tables = env["tables"]
    found: list[Any] = tables.rows(table) if column is None else tables.index(table, column).get(value, [])
    return found


def _row(env: Env, table: str, key: Any) -> Any:
    return env["tables"].row(table, key)


def _within(env: Env, text: str | None) -> bool:
    """Whether a time lies in the period asked for: from its first day to its last, both whole."""
    asked = env["asked"]
    first, last = asked.get("first_day"), asked.get("last_day")
    return bool(text) and (not first or text[:10] >= first) and (not last or text[:10] <= last)  # type: ignore[index]


SEEING: Mapping[str, Callable[..., Any]] = {"rows": _rows, "row": _row, "within": _within}
