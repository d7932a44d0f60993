"""Two generations of a view side by side: rows only here, only there, and differing, by key and column."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from psycopg import sql
from sqlalchemy import JSON, Table

from letopis.common.driver import Connection
from letopis.common.projecting.generation import Generation
from letopis.common.projecting.view import View

SHOWN = 20
_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifferences:
    """Counts of rows; `columns` says how many rows differ in each; `first` shows some, live value before new."""

    table: str
    only_live: int = 0
    only_new: int = 0
    differing: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    columns_only_new: tuple[str, ...] = ()
    first: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.only_live + self.only_new + self.differing


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What a new generation says otherwise than the live one, both at the same positions.

    `expected` where the view has another version or shape than the live one.
    """

    view: str
    live: str
    new: str
    expected: bool
    positions: dict[str, int]
    tables: list[TableDifferences]

    @property
    def count(self) -> int:
        return sum(one.count for one in self.tables)

    def text(self, accepted: str = "") -> str:
        """The report as JSON; it holds values of the view's rows."""
        told = {**msgspec.to_builtins(self), "rows": self.count, "accepted": accepted}
        return msgspec.json.format(msgspec.json.encode(told)).decode()


async def compare(
    connection: Connection, view: View, live: Generation, new: Generation, positions: dict[str, int]
) -> Differences:
    """Compare within the caller's snapshot, in which both MUST stand at these positions."""
    return Differences(
        view=view.name,
        live=live.schema,
        new=new.schema,
        expected=(live.version, live.shape) != (new.version, new.shape),
        positions=positions,
        tables=[await _table(connection, table, live.schema, new.schema) for table in view.tables()],
    )


async def _table(connection: Connection, table: Table, live: str, new: str) -> TableDifferences:
    # Names of SQLAlchemy are a kind of text that is not written as JSON.
    name, names = str(table.name), [str(column.name) for column in table.columns]
    there = {row[0] for row in await (await connection.execute(_COLUMNS, (live, name))).fetchall()}
    keys = [str(column.name) for column in table.primary_key]
    if not there.issuperset(keys):
        found = await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(new, name)))
        (rows,) = await found.fetchone() or (0,)
        return TableDifferences(table=name, only_new=rows, columns_only_new=tuple(names))
    shared = [column for column in table.columns if column.name in there and column.name not in keys]
    differs = {str(column.name): _differs(column.name, is_json=isinstance(column.type, JSON)) for column in shared}
    both = sql.SQL("l.tableoid IS NOT NULL AND n.tableoid IS NOT NULL")
    differing = sql.SQL(" OR ").join(differs.values()) if differs else sql.SQL("false")
    joined = sql.SQL("FROM {} l FULL JOIN {} n USING ({})").format(
        sql.Identifier(live, name), sql.Identifier(new, name), _list(keys)
    )
    counts = [
        sql.SQL("count(*) FILTER (WHERE n.tableoid IS NULL)"),
        sql.SQL("count(*) FILTER (WHERE l.tableoid IS NULL)"),
        sql.SQL("count(*) FILTER (WHERE {} AND ({}))").format(both, differing),
        *(sql.SQL("count(*) FILTER (WHERE {} AND {})").format(both, one) for one in differs.values()),
    ]
    found = await connection.execute(sql.SQL("SELECT {} {}").format(sql.SQL(", ").join(counts), joined))
    only_live, only_new, changed, *each = await found.fetchone() or (0, 0, 0)
    return TableDifferences(
        table=name,
        only_live=only_live,
        only_new=only_new,
        differing=changed,
        columns={one: count for one, count in zip(differs, each, strict=True) if count},
        columns_only_new=tuple(one for one in names if one not in there),
        first=await _first(connection, keys, differs, joined) if only_live + only_new + changed else [],
    )


async def _first(
    connection: Connection, keys: list[str], differs: dict[str, sql.Composed], joined: sql.Composed
) -> list[dict[str, Any]]:
    """Some rows as JSON: the key, where the row is, and the two values of each column that differs."""
    pairs = [
        sql.SQL("CASE WHEN {} THEN jsonb_build_object({}, json_build_array(l.{}, n.{})) ELSE '{{}}' END").format(
            one, sql.Literal(name), sql.Identifier(name), sql.Identifier(name)
        )
        for name, one in differs.items()
    ]
    query = sql.SQL(
        "SELECT jsonb_build_array({keys}), CASE WHEN n.tableoid IS NULL THEN 'only live'"
        " WHEN l.tableoid IS NULL THEN 'only new' ELSE 'differs' END,"
        " CASE WHEN l.tableoid IS NULL OR n.tableoid IS NULL THEN '{{}}'::jsonb ELSE {columns} END {joined}"
        " WHERE l.tableoid IS NULL OR n.tableoid IS NULL OR {differing} ORDER BY {keys} LIMIT {shown}"
    ).format(
        keys=_list(keys),
        columns=sql.SQL(" || ").join(pairs) if pairs else sql.SQL("'{}'::jsonb"),
        joined=joined,
        differing=sql.SQL(" OR ").join(differs.values()) if differs else sql.SQL("false"),
        shown=sql.Literal(SHOWN),
    )
    rows = await (await connection.execute(query)).fetchall()
    return [{"key": key, "row": where, "columns": columns} for key, where, columns in rows]


def _differs(name: str, *, is_json: bool) -> sql.Composed:
    column = sql.Identifier(name)
    if is_json:
        # The order of keys is nothing that a view promises; equal text is the quick answer.
        query = "(CASE WHEN l.{0}::text = n.{0}::text THEN false ELSE l.{0}::jsonb IS DISTINCT FROM n.{0}::jsonb END)"
        return sql.SQL(query).format(column)
    return sql.SQL("(l.{0} IS DISTINCT FROM n.{0})").format(column)


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
