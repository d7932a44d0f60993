"""The rows that a batch of facts touches, held in memory while they are folded."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Table

from letopis.common.errors import LetopisError

Key = tuple[Any, ...]
Row = dict[str, Any]


class ViewError(LetopisError):
    """A view broke the rules of a keyed fold: a mistake in its code."""

    code = "projecting.view"
    title = "A view reads or writes rows that it may not"


class Rows:
    """`rows[table, key]` is the row or None; assigning a row stores it, `del` removes it.

    A key is the tuple of the primary key's columns. Only keys that the view named for a fact of the batch may be
    used. A row that was read MUST NOT be changed in place: assign a new dict. Columns left out become NULL.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[Table, Key], Row | None] = {}
        self._changed: dict[tuple[Table, Key], None] = {}
        self._columns: dict[Table, tuple[frozenset[str], tuple[str, ...]]] = {}

    def hold(self, table: Table, asked: Collection[Key], found: Mapping[Key, Row]) -> None:
        """Take in what the database says of these keys."""
        key_columns = tuple(column.name for column in table.primary_key)
        self._columns[table] = frozenset(table.columns.keys()), key_columns
        for key in asked:
            self._held[table, key] = found.get(key)
        if strange := found.keys() - set(asked):
            raise ViewError(f"{table.name}: key {strange.pop()!r} is spelled otherwise than the database does")

    def __getitem__(self, place: tuple[Table, Key]) -> Row | None:
        try:
            return self._held[place]
        except KeyError:
            raise _undeclared(place) from None

    def __setitem__(self, place: tuple[Table, Key], row: Row) -> None:
        if place not in self._held:
            raise _undeclared(place)
        table, key = place
        columns, key_columns = self._columns[table]
        if row.keys() != columns:
            if strange := row.keys() - columns:
                raise ViewError(f"{table.name} has no column {', '.join(sorted(strange))}")
            row = {name: row.get(name) for name in columns}
        if tuple([row[name] for name in key_columns]) != key:
            raise ViewError(f"{table.name}: the row under {key!r} has another key")
        self._held[place] = row
        self._changed[place] = None

    def __delitem__(self, place: tuple[Table, Key]) -> None:
        if place not in self._held:
            raise _undeclared(place)
        self._held[place] = None
        self._changed[place] = None

    def changes(self) -> dict[Table, tuple[list[Row], list[Key]]]:
        """By table: the rows to write and the keys to delete."""
        told: dict[Table, tuple[list[Row], list[Key]]] = {}
        for place in self._changed:
            table, key = place
            written, deleted = told.setdefault(table, ([], []))
            row = self._held[place]
            if row is None:
                deleted.append(key)
            else:
                written.append(row)
        return told


def _undeclared(place: tuple[Table, Key]) -> ViewError:
    table, key = place
    return ViewError(f"{table.name} {key!r} was not named by the view's keys()")
