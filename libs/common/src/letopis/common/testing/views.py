"""Proving of a view that it is a fold: any cuts, any interleaving of ledgers and a rebuild end in the same rows."""

import copy
import json
import random
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Table

from letopis.common.envelope import Record
from letopis.common.projecting.folding import fold
from letopis.common.projecting.rows import Key, Row
from letopis.common.projecting.view import View, checked

Content = dict[str, dict[Key, Row]]


def check_view(view: type[View] | View, records: Sequence[Record], *, tries: int = 20, seed: int = 0) -> Content:
    """Fold the records whole, then `tries` times in random batches and interleavings; the rows must agree.

    Records of each ledger are in order; what ledgers the view does not follow is left out. Returns the rows by
    table and key, as JSON and the database would give them back. Loaded rows are copies, so a view that changes
    a row in place instead of assigning it is found out.
    """
    return _at_once(_check(checked(view), records, tries, random.Random(seed)))  # noqa: S311 not a secret


def content_of(view: type[View] | View, records: Sequence[Record]) -> Content:
    """The rows after these records, folded in the order in which they are given, ledger by ledger."""
    view = checked(view)
    return _at_once(_fold_all(view, [run for run in _ledgers(view, records).values() if run]))


async def _check(view: View, records: Sequence[Record], tries: int, chance: random.Random) -> Content:
    ledgers = _ledgers(view, records)
    whole = await _fold_all(view, [run for run in ledgers.values() if run])
    singly = await _fold_all(view, [[one] for run in ledgers.values() for one in run])
    _agree(whole, singly, "one by one")
    for number in range(tries):
        again = await _fold_all(checked(type(view)), _cut(ledgers, chance))
        _agree(whole, again, f"cuts and interleaving of try {number}")
    if view.shares:
        await _check_shares(view, ledgers, whole)
    return whole


async def _check_shares(view: View, ledgers: Mapping[str, list[Record]], whole: Content) -> None:
    """Every fact, or stream, by itself: what they make touches no common row and is together the whole."""
    apart: dict[Any, list[Record]] = {}
    for record in (one for run in ledgers.values() for one in run):
        apart.setdefault(record.position if view.shares == "fact" else record.stream, []).append(record)
    together: Content = {name: {} for name in whole}
    for share in apart.values():
        for name, rows in (await _fold_all(view, [share])).items():
            if common := together[name].keys() & rows.keys():
                raise AssertionError(f"{name} {common.pop()}: touched by two shares, each a {view.shares}")
            together[name] |= rows
    _agree(whole, together, f"shares by {view.shares}")


def _at_once(folding: Coroutine[Any, Any, Content]) -> Content:
    """Run what never waits, also where an event loop runs already."""
    try:
        folding.send(None)
    except StopIteration as done:
        content: Content = done.value
        return content
    raise AssertionError("a fold in memory does not wait")


def _ledgers(view: View, records: Sequence[Record]) -> dict[str, list[Record]]:
    return {ledger: [one for one in records if one.ledger == ledger] for ledger in view.sources}


def _cut(ledgers: Mapping[str, list[Record]], chance: random.Random) -> list[list[Record]]:
    left = {ledger: list(run) for ledger, run in ledgers.items() if run}
    batches = []
    while left:
        ledger = chance.choice(sorted(left))
        size = chance.choice((1, 2, 3, 7, 50))
        batches.append(left[ledger][:size])
        left[ledger] = left[ledger][size:]
        if not left[ledger]:
            del left[ledger]
    return batches


async def _fold_all(view: View, batches: Sequence[Sequence[Record]]) -> Content:
    stored: dict[Table, dict[Key, Row]] = {table: {} for table in view.tables()}

    async def load(table: Table, keys: Sequence[Key]) -> dict[Key, Row]:
        return {key: copy.deepcopy(stored[table][key]) for key in keys if key in stored[table]}

    for batch in batches:
        rows = await fold(view, batch, load)
        for table, change in rows.changes().items():
            for key in change.deleted:
                del stored[table][key]
            for row in (*change.fresh, *change.changed):
                key = tuple(row[column.name] for column in table.primary_key)
                stored[table][key] = {column.name: _kept(column.type, row[column.name]) for column in table.columns}
    return {table.name: content for table, content in stored.items()}


def _kept(kind: object, value: Any) -> Any:
    """The value as it comes back from the database."""
    if isinstance(kind, JSON) and value is not None:
        return json.loads(json.dumps(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _agree(whole: Content, other: Content, how: str) -> None:
    for table, rows in whole.items():
        for key in rows.keys() | other[table].keys():
            mine, theirs = rows.get(key), other[table].get(key)
            if mine != theirs:
                raise AssertionError(f"{table} {key}: {mine} at once, {theirs} by {how}")
