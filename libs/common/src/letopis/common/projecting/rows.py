"""The rows that a batch of facts touches, held in memory while they are folded."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Table

from letopis.common.errors import LetopisError

Key = tuple[Any, ...]
Row = dict[str, Any]


class ViewError(LetopisError):
    """A view broke the rules of a keyed fold: a mistake in its code."""

    code = "projecting.view"
    title = "A view reads or writes rows that it may not"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a table: rows whose keys the database does not have, rows it has, and keys it has to delete."""

    fresh: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    deleted: list[Key] = field(default_factory=list)


class Rows:
    """`rows[table, key]` is the row or None; assigning a row stores it, `del` removes it.

    A key is the tuple of the primary key's columns. Only keys that the view named for a fact of the batch may be
    used. A row that was read MUST NOT be changed in place: assign a new dict. Columns left out become NULL.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[Table, Key], Row | None] = {}
        self._found: dict[Table, Mapping[Key, Row]] = {}
        self._changed: dict[tuple[Table, Key], None] = {}
        self._columns: dict[Table, tuple[frozenset[str], Callable[[Row], Key]]] = {}

    def hold(self, table: Table, asked: Collection[Key], found: Mapping[Key, Row]) -> None:
        """Take in what the database says of these keys."""
        self._columns[table] = frozenset(table.columns.keys()), key_of(table)
        self._found[table] = found
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
        columns, spelled = self._columns[table]
        if row.keys() != columns:
            if strange := row.keys() - columns:
                raise ViewError(f"{table.name} has no column {', '.join(sorted(strange))}")
            row = {name: row.get(name) for name in columns}
        if spelled(row) != key:
            raise ViewError(f"{table.name}: the row under {key!r} has another key")
        self._held[place] = row
        self._changed[place] = None

    def __delitem__(self, place: tuple[Table, Key]) -> None:
        if place not in self._held:
            raise _undeclared(place)
        self._held[place] = None
        self._changed[place] = None

    def changes(self) -> dict[Table, Change]:
        """By table: what to write and what to delete."""
        told: dict[Table, Change] = {}
        for place in self._changed:
            table, key = place
            change = told.get(table) or told.setdefault(table, Change())
            row, known = self._held[place], key in self._found[table]
            if row is not None:
                (change.changed if known else change.fresh).append(row)
            elif known:
                change.deleted.append(key)
        return told


def key_of(table: Table) -> Callable[[Row], Key]:
    """What takes a row's key out of it."""
    names = [column.name for column in table.primary_key]
    if len(names) > 1:
        return itemgetter(*names)
    (name,) = names
    return lambda row: (row[name],)


def _undeclared(place: tuple[Table, Key]) -> ViewError:
    table, key = place
    return ViewError(f"{table.name} {key!r} was not named by the view's keys()")
