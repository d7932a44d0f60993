"""Where each output of a statement comes from: the columns of its value, and those that decide which rows it gets.

The class of a feature is the highest over both. Where the way cannot be followed, every column of the statement counts:
a feature may be classed too high, never too low.
"""

from collections.abc import Mapping
from typing import Any

from letopis.common.errors import LetopisError
from letopis.features.query.gate import Columns


class LineageLost(LetopisError):
    """A statement that passed the gate cannot be parsed again; it must be able to."""

    code = "lineage.lost"
    title = "The origin of a column cannot be followed"


def lineage(sql: str, dictionary: Mapping[str, Mapping[str, str]], reads: Columns) -> dict[str, tuple[str, ...]]:
    """For each output, the `source.column` names behind it, sorted. `sql` is a statement that passed the gate."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, Any] = {name: dict(columns) for name, columns in dictionary.items()}
    try:
        tree: Any = qualify(sqlglot.parse_one(sql, dialect="duckdb"), dialect="duckdb", schema=schema)
        scope = build_scope(tree)
    except sqlglot.errors.SqlglotError as error:
        raise LineageLost(str(error)) from error
    every = frozenset(f"{table}.{column}" for table, columns in reads.items() for column in columns)
    influence = _influence(tree, every)
    return {
        name: tuple(sorted((_value(name, tree, schema, scope, every) | influence) & every))
        for name in tree.named_selects
    }


def _value(name: str, tree: Any, schema: dict[str, Any], scope: Any, every: frozenset[str]) -> frozenset[str]:
    """The columns that the value is computed from, window partitions and orders included."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage as walk

    try:
        root = walk(name, tree, schema=schema, dialect="duckdb", scope=scope)
    except (sqlglot.errors.SqlglotError, ValueError, KeyError):
        return every
    found: set[str] = set()
    for node in root.walk():
        if node.downstream:
            continue
        if not isinstance(node.expression, exp.Table):
            # A leaf that is no table is either a constant, or a place where the way was lost.
            if node is not root and any(True for _ in node.expression.find_all(exp.Column)):
                return every
            continue
        found.add(f"{node.expression.name}.{node.name.rpartition('.')[2]}".replace('"', "").lower())
    # Named windows are not followed from the value; nor is what stands in subqueries of the select list.
    if any(True for one in tree.find_all(exp.Window) if one.alias) or any(True for _ in tree.find_all(exp.Subquery)):
        return every
    return frozenset(found)


def _influence(tree: Any, every: frozenset[str]) -> frozenset[str]:
    """Columns that decide which rows count: filters, joins, groups, orders."""
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    clauses = (exp.Where, exp.Join, exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Limit, exp.Distinct)
    found: set[str] = set()
    for scope in traverse_scope(tree):
        for column in scope.columns:
            if column.find_ancestor(*clauses) is None:
                continue
            source = scope.sources.get(column.table)
            if not isinstance(source, exp.Table):
                return every
            found.add(f"{source.name}.{column.name}".lower())
    return frozenset(found)
