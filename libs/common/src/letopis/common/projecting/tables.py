"""A view's tables in PostgreSQL: made, loaded by key, and written by COPY into a temporary table and a merge."""

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from psycopg import AsyncCursor, sql
from psycopg.rows import tuple_row
from sqlalchemy import JSON, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from letopis.common.driver import Connection
from letopis.common.projecting.met import Met
from letopis.common.projecting.rows import Change, Key, Row, key_of, values_of
from letopis.common.projecting.view import View

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_encode, _decode = msgspec.json.encode, msgspec.json.decode


class StoredTable:
    """One table of a view in the schema of one generation.

    With `alone`, who made this MUST be the only one who ever wrote the table, from its beginning: it is not asked for
    rows that it cannot have, nor for those just written.
    """

    def __init__(self, schema: str, table: Table, *, alone: bool = False) -> None:
        self.table = table
        self._met = Met() if alone else None
        self._written: list[tuple[Key, tuple[Any, ...]]] = []
        self._deleted: list[Key] = []
        kinds = [f"{column.name} {column.type.compile(dialect=_DIALECT)}" for column in table.columns]
        self.passage_name = f"passage_{sha256(f'{schema} {table.name} {kinds}'.encode()).hexdigest()[:32]}"
        self._names = [column.name for column in table.columns]
        self._values = values_of(self._names)
        self._keys = [column.name for column in table.primary_key]
        self._json = [place for place, column in enumerate(table.columns) if isinstance(column.type, JSON)]
        self._key_of = key_of(table)
        names, keys = _list(self._names), _list(self._keys)
        arrays = sql.SQL(", ").join(
            sql.SQL(f"%s::{column.type.compile(dialect=_DIALECT)}[]") for column in table.primary_key
        )
        into, passage = sql.Identifier(schema, table.name), sql.Identifier(self.passage_name)
        others = [name for name in self._names if name not in self._keys]
        update = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others)
        merge = sql.SQL("UPDATE SET {}").format(update) if others else sql.SQL("NOTHING")
        parts = {"into": into, "passage": passage, "names": names, "keys": keys, "arrays": arrays, "merge": merge}
        self.passage = sql.SQL(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {passage} (LIKE {into}) ON COMMIT DELETE ROWS"
        ).format(**parts)
        self._load = sql.SQL("SELECT {names} FROM {into} JOIN unnest({arrays}) AS k({keys}) USING ({keys})").format(
            **parts
        )
        self._copy = sql.SQL("COPY {passage} ({names}) FROM STDIN").format(**parts)
        self._add = sql.SQL("COPY {into} ({names}) FROM STDIN").format(**parts)
        self._merge = sql.SQL(
            "INSERT INTO {into} ({names}) SELECT {names} FROM {passage} ON CONFLICT ({keys}) DO {merge}"
        ).format(**parts)
        self._delete = sql.SQL("DELETE FROM {into} WHERE ({keys}) IN (SELECT * FROM unnest({arrays}))").format(**parts)

    async def load(self, connection: Connection, keys: Collection[Key]) -> dict[Key, Row]:
        """The rows under these keys, by key."""
        if self._met is None:
            return await self._loaded(connection, keys)
        found: dict[Key, Row] = {}
        asked = []
        for key in keys:
            if self._met.ever(key):
                if (values := self._met.row(key)) is None:
                    asked.append(key)
                else:
                    found[key] = self._row(values)
        return found | await self._loaded(connection, asked) if asked else found

    async def write(self, connection: Connection, change: Change) -> None:
        """Insert and replace rows and delete keys, within the caller's transaction.

        The caller MUST hold what keeps others from writing since the rows were loaded: fresh ones are copied straight
        into the table.
        """
        self._written, self._deleted = [], change.deleted
        async with connection.cursor() as cursor:
            if change.deleted:
                await cursor.execute(self._delete, _columns(change.deleted))
            if change.fresh:
                await self._put(cursor, self._add, change.fresh)
            if change.changed:
                await self._put(cursor, self._copy, change.changed)
                await cursor.execute(self._merge)

    def settle(self, *, committed: bool) -> None:
        """What was written last is there for good, or was never there."""
        if committed and self._met is not None:
            self._met.wrote(self._written, self._deleted)
        self._written, self._deleted = [], []

    async def _loaded(self, connection: Connection, keys: Collection[Key]) -> dict[Key, Row]:
        cursor = connection.cursor(binary=True, row_factory=tuple_row)
        await cursor.execute(self._load, _columns(keys))
        rows = [dict(zip(self._names, values, strict=True)) for values in await cursor.fetchall()]
        return {self._key_of(row): row for row in rows}

    async def _put(self, cursor: AsyncCursor[Any], statement: sql.Composed, rows: Sequence[Row]) -> None:
        spelled = list(map(self._spelled if self._json else self._values, rows))
        async with cursor.copy(statement) as copy:
            for values in spelled:
                await copy.write_row(values)
        if self._met is not None:
            self._written += zip(map(self._key_of, rows), spelled, strict=True)

    def _spelled(self, row: Row) -> tuple[Any, ...]:
        values = list(self._values(row))
        for place in self._json:
            if values[place] is not None:
                values[place] = _encode(values[place]).decode()
        return tuple(values)

    def _row(self, values: Sequence[Any]) -> Row:
        """What loading would give back."""
        row = dict(zip(self._names, values, strict=True))
        for place in self._json:
            if values[place] is not None:
                row[self._names[place]] = _decode(values[place])
        return row


def make_tables(view: View, schema: str) -> list[str]:
    """Statements that make the tables, without secondary indexes: those come when the bulk is in."""
    return [_ddl(CreateTable(table), schema) for table in view.tables()]


def make_indexes(view: View, schema: str) -> list[str]:
    """Statements that make the secondary indexes."""
    indexes = (index for table in view.tables() for index in sorted(table.indexes, key=lambda one: str(one.name)))
    return [_ddl(CreateIndex(index), schema) for index in indexes]


def _ddl(statement: CreateTable | CreateIndex, schema: str) -> str:
    return str(statement.compile(dialect=_DIALECT, schema_translate_map={None: schema}, render_schema_translate=True))


def _list(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _columns(keys: Collection[Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)]
