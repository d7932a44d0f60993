"""The SQL gate: exactly one SELECT, known functions, and a parser and a planner that agree on the columns read.

Two independent readers look at a statement before any data is near it: SQLGlot's parser and DuckDB's binder over empty
tables. Each knows forms in which the other misses a column; only what both see alike passes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from letopis.common.errors import Forbidden, Reason, Refused
from letopis.features.query.functions import AGGREGATES_AND_SCALARS, WINDOWS

Columns = dict[str, tuple[str, ...]]

# What a plan of a read consists of; anything else (inserts, table functions, copies, samples) is refused.
_NAMES = """
PROJECTION FILTER GET AGGREGATE_AND_GROUP_BY WINDOW ORDER_BY LIMIT TOP_N DISTINCT UNION EXCEPT INTERSECT
COMPARISON_JOIN DELIM_JOIN DELIM_GET DEPENDENT_JOIN ANY_JOIN ASOF_JOIN CROSS_PRODUCT DUMMY_SCAN EXPRESSION_GET
MATERIALIZED_CTE CTE_REF
"""
_OPERATORS = frozenset(_NAMES.split())
LONGEST = 20_000


class SqlNotUnderstood(Refused):
    """One of the two readers cannot make sense of the statement."""

    code = "sql.not_understood"
    title = "The statement cannot be parsed or bound"


class FunctionNotAllowed(Refused):
    """Functions are allow-listed: what is neither pure nor known does not run."""

    code = "sql.function_not_allowed"
    title = "The statement uses a function or form that is not on the list"


class ColumnUnknown(Refused):
    """The statement names something the dictionary does not have."""

    code = "sql.column_unknown"
    title = "The statement names a table or column that is not in the dictionary"


class ColumnsDisagree(Refused):
    """The parser and the bound plan see different columns, so what would be read is not certain."""

    code = "sql.columns_disagree"
    title = "The columns that the parser sees and those that the plan reads differ; name each column plainly"


class ReadOnly(Forbidden):
    """The gateway reads; it never writes, and says so aloud."""

    code = "sql.read_only"
    title = "Only a single SELECT passes the gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A statement that passed: its canonical spelling, that spelling's SHA-256, and the columns read of each table."""

    sql: str
    sql_hash: str
    parsed: Columns
    planned: Columns
    outputs: tuple[str, ...]


def tables_of(sql: str) -> tuple[str, ...]:
    """The tables a statement names, in order of name; ReadOnly or SqlNotUnderstood if it is no single SELECT."""
    return tuple(sorted(_tables(_select(sql))))


def inspect(sql: str, dictionary: Mapping[str, Mapping[str, str]]) -> Inspected:
    """Look at one statement through both readers.

    `dictionary` maps each table to its columns and their DuckDB types. Raises ReadOnly (403), SqlNotUnderstood,
    FunctionNotAllowed, ColumnUnknown, ColumnsDisagree (409).
    """
    tree = _select(sql)
    unknown = sorted(_tables(tree) - dictionary.keys())
    if unknown:
        raise ColumnUnknown(f"no source is called {', '.join(unknown)}", tables=unknown)
    _only_known_functions(tree)
    parsed, canonical, outputs = _parser_columns(tree, dictionary)
    planned = _plan_columns(sql, {name: dictionary[name] for name in _tables(tree)})
    if parsed != planned:
        differ = sorted(
            {
                (table, column)
                for table in parsed.keys() | planned.keys()
                for column in set(parsed.get(table, ())) ^ set(planned.get(table, ()))
            }
        )
        named = ", ".join(f"{table}.{column}" for table, column in differ) or "a table"
        raise ColumnsDisagree(f"parser and plan disagree about {named}", columns=[".".join(pair) for pair in differ])
    return Inspected(
        sql=canonical, sql_hash=sha256(canonical.encode()).hexdigest(), parsed=parsed, planned=planned, outputs=outputs
    )


def _select(sql: str) -> Any:
    import sqlglot
    from sqlglot import exp

    if len(sql) > LONGEST:
        raise SqlNotUnderstood(f"the statement is longer than {LONGEST} characters")
    try:
        statements = [one for one in sqlglot.parse(sql, dialect="duckdb") if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise SqlNotUnderstood(f"the parser says: {_first_line(error)}") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(one.key.upper() for one in statements) or "nothing"
        raise ReadOnly(
            f"exactly one SELECT may pass; this is {kinds}",
            reasons=(
                Reason(
                    rule="sql.read_only",
                    owner="Data security",
                    message="sources are read-only: no INSERT, UPDATE, DELETE, DDL, COPY, PRAGMA or second statement",
                    remedy="send one SELECT; to change a source, load a new extract of it",
                ),
            ),
        )
    return statements[0]


def _tables(tree: Any) -> set[str]:
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    names: set[str] = set()
    common = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.args.get("db") or table.args.get("catalog"):
            raise FunctionNotAllowed(f"{table.sql(dialect='duckdb')} is no source; sources are named by their id alone")
        if table.name.lower() not in common:
            names.add(table.name.lower())
    # A name that is both a source and a common table would be read differently in different places.
    shadowed = {table.name.lower() for scope in traverse_scope(tree) for table in scope.tables} - names - common
    if shadowed:
        raise SqlNotUnderstood(f"the scope of {', '.join(sorted(shadowed))} is not clear")
    return names


def _only_known_functions(tree: Any) -> None:
    """Stops before binding what could act while being bound; the plan is checked again by DuckDB's own names."""
    from sqlglot import exp

    for node in tree.walk():
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
            name = node.name.lower()
            if name not in AGGREGATES_AND_SCALARS and name not in WINDOWS:
                raise FunctionNotAllowed(f"{name}() is not on the list", function=name)
        elif isinstance(node, exp.ReadCSV | exp.ReadParquet | exp.TableFromRows | exp.Parameter | exp.Placeholder):
            raise FunctionNotAllowed(f"{node.sql(dialect='duckdb')} is not on the list")
        elif isinstance(node, exp.TableSample | exp.Pivot | exp.Columns | exp.Into | exp.Lock):
            raise FunctionNotAllowed(f"{node.key.upper()} is not on the list", function=node.key)
        elif isinstance(node, exp.Func) and node.key.startswith(("current", "session", "user", "system")):
            raise FunctionNotAllowed(f"{node.key.upper()} depends on who asks and when", function=node.key)


def _parser_columns(tree: Any, dictionary: Mapping[str, Mapping[str, str]]) -> tuple[Columns, str, tuple[str, ...]]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    try:
        whole = qualify(
            tree.copy(), dialect="duckdb", schema={name: dict(columns) for name, columns in dictionary.items()}
        )
        scopes = traverse_scope(whole)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise ColumnUnknown(f"the parser says: {_first_line(error)}") from None
    seen: dict[str, set[str]] = {}
    for scope in scopes:
        for table in scope.sources.values():
            if isinstance(table, exp.Table):
                seen.setdefault(table.name.lower(), set())
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                seen[source.name.lower()].add(column.name.lower())
    return _frozen(seen), whole.sql(dialect="duckdb", comments=False), tuple(whole.named_selects)


def bound_types(sql: str, dictionary: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The outputs of a statement that passed the gate, in order, with their DuckDB types."""
    import duckdb

    connection = _empty(dictionary)
    try:
        rows = connection.execute(f"DESCRIBE {sql}").fetchall()
    except duckdb.Error as error:
        raise SqlNotUnderstood(f"the planner says: {_first_line(error)}") from None
    finally:
        connection.close()
    return {str(row[0]).lower(): str(row[1]) for row in rows}


def _plan_columns(sql: str, dictionary: Mapping[str, Mapping[str, str]]) -> Columns:
    import duckdb

    connection = _empty(dictionary)
    try:
        row = connection.execute("SELECT json_serialize_plan(?)", [sql]).fetchone()
    except duckdb.Error as error:
        raise SqlNotUnderstood(f"the planner says: {_first_line(error)}") from None
    finally:
        connection.close()
    answer = json.loads(row[0])
    if answer.get("error"):
        raise SqlNotUnderstood(f"the planner says: {answer.get('error_message', '').splitlines()[0][:200]}")
    if len(answer["plans"]) != 1:
        raise SqlNotUnderstood("the planner sees more than one statement")
    seen: dict[str, set[str]] = {}
    _walk(answer["plans"][0], seen)
    return _frozen(seen)


def _empty(dictionary: Mapping[str, Mapping[str, str]]) -> Any:
    """A locked down connection with empty tables: enough to bind a statement, nothing to read."""
    import duckdb

    connection = duckdb.connect(
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "threads": "1",
        }
    )
    for name, columns in dictionary.items():
        fields = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {quoted(name)} ({fields})")
    connection.execute("SET lock_configuration = true")
    return connection


def _walk(node: Any, seen: dict[str, set[str]]) -> None:
    if isinstance(node, dict):
        _look(node, seen)
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        _walk(part, seen)


def _look(node: Mapping[str, Any], seen: dict[str, set[str]]) -> None:
    """One node of a plan: an operator on the list, a scan of a source, or a function on the list."""
    kind = str(node.get("type", ""))
    if kind.startswith("LOGICAL_") and kind.removeprefix("LOGICAL_") not in _OPERATORS:
        raise FunctionNotAllowed(f"{kind.removeprefix('LOGICAL_').lower()} is not on the list")
    if kind == "LOGICAL_GET":
        table, columns = _scan(node)
        seen.setdefault(table, set()).update(columns)
    elif "qname" in node:
        name = str(node["qname"]["path"][-1]).lower()
        if name not in AGGREGATES_AND_SCALARS:
            raise FunctionNotAllowed(f"{name}() is not on the list", function=name)
    elif kind.startswith("WINDOW_") and kind != "WINDOW_AGGREGATE":
        name = kind.removeprefix("WINDOW_").lower()
        if name not in WINDOWS:
            raise FunctionNotAllowed(f"{name}() is not on the list", function=name)


def _scan(node: Mapping[str, Any]) -> tuple[str, Iterable[str]]:
    data = node.get("function_data") or {}
    if node["qname"]["path"][-1] != "seq_scan" or (data.get("catalog"), data.get("schema")) != ("memory", "main"):
        raise FunctionNotAllowed(f"{'.'.join(node['qname']['path'])} is no source")
    names = node["names"]
    # Virtual columns (the row number) have an index beyond the names; they stand for "no column" in a count.
    indexes = [part["index"] for part in node.get("column_indexes", ())]
    return str(data["table"]).lower(), [names[index].lower() for index in indexes if index < len(names)]


def _frozen(seen: Mapping[str, set[str]]) -> Columns:
    return {name: tuple(sorted(columns)) for name, columns in sorted(seen.items())}


def quoted(name: str) -> str:
    """An identifier as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
