"""The rows that a batch of facts touches, held in memory while they are folded."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
        self._held: dict[Table, dict[Key, Row | None]] = {}
        self._found: dict[Table, Mapping[Key, Row]] = {}
        self._changed: dict[Table, dict[Key, None]] = {}
        self._columns: dict[Table, tuple[frozenset[str], Callable[[Row], Key]]] = {}

    def hold(self, table: Table, asked: Collection[Key], found: Mapping[Key, Row]) -> None:
        """Take in what the database says of these keys."""
        self._columns[table] = frozenset(table.columns.keys()), key_of(table)
        self._found[table] = found
        self._changed[table] = {}
        self._held[table] = held = {**dict.fromkeys(asked), **found}
        if len(held) > len(asked):
            strange = next(iter(found.keys() - set(asked)))
            raise ViewError(f"{table.name}: key {strange!r} is spelled otherwise than the database does")

    def __getitem__(self, place: tuple[Table, Key]) -> Row | None:
        try:
            return self._held[place[0]][place[1]]
        except KeyError:
            raise _undeclared(place) from None

    def __setitem__(self, place: tuple[Table, Key], row: Row) -> None:
        table, key = place
        held = self._held.get(table)
        if held is None or key not in held:
            raise _undeclared(place)
        columns, spelled = self._columns[table]
        if row.keys() != columns:
            if strange := row.keys() - columns:
                raise ViewError(f"{table.name} has no column {', '.join(sorted(strange))}")
            row = {name: row.get(name) for name in columns}
        if spelled(row) != key:
            raise ViewError(f"{table.name}: the row under {key!r} has another key")
        held[key] = row
        self._changed[table][key] = None

    def __delitem__(self, place: tuple[Table, Key]) -> None:
        table, key = place
        held = self._held.get(table)
        if held is None or key not in held:
            raise _undeclared(place)
        held[key] = None
        self._changed[table][key] = None

    def changes(self) -> dict[Table, Change]:
        """By table: what to write and what to delete."""
        told: dict[Table, Change] = {}
        for table, keys in self._changed.items():
            held, found = self._held[table], self._found[table]
            change = Change()
            for key in keys:
                row = held[key]
                if row is not None:
                    (change.changed if key in found else change.fresh).append(row)
                elif key in found:
                    change.deleted.append(key)
            if keys:
                told[table] = change
        return told


def key_of(table: Table) -> Callable[[Row], Key]:
    """What takes a row's key out of it."""
    return values_of([column.name for column in table.primary_key])


def values_of(names: Sequence[str]) -> Callable[[Row], Key]:
    """What takes these columns out of a row."""
    if len(names) > 1:
        return itemgetter(*names)
    (name,) = names
    return lambda row: (row[name],)


def _undeclared(place: tuple[Table, Key]) -> ViewError:
    table, key = place
    return ViewError(f"{table.name} {key!r} was not named by the view's keys()")
