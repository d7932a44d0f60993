"""Reading views: of the version this program knows, from the schema that is live, waiting for positions."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import Executable, RowMapping, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable, sqlstate
from letopis.common.errors import Unavailable
from letopis.common.projecting.view import View

_Key = tuple[str, int, str]
REMEMBERED = 1.0
POLL = 0.02
_GONE = {"42P01", "3F000"}
_WHERE = text("""
    SELECT s.schema_name, s.changed_at, c.ledger, c.position
    FROM projecting.view_state s LEFT JOIN projecting.checkpoint c USING (view, version, generation)
    WHERE (s.view, s.version, s.generation) = (
        SELECT view, version, generation FROM projecting.view_state
        WHERE view = :view AND version = :version AND shape = :shape AND state IN ('live', 'retired')
        ORDER BY state, generation DESC LIMIT 1)
""")


class ViewMissing(Unavailable):
    """The view is being built for the first time."""

    code = "projecting.building"
    title = "This answer is still being built from the facts; try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The schema that answers, since when it does (the database's clock), and when we learned that (ours)."""

    schema: str
    since: datetime
    learned: float


class ViewReader:
    """Reads as the application role. Views are named by their class (or an instance)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known: dict[_Key, _Known] = {}

    async def rows(self, view: type[View] | View, statement: Executable) -> Sequence[RowMapping]:
        """The rows of a select over the view's tables; Unavailable while it is first built or the database is away."""
        try:
            return await self._rows(await self._schema(view), statement)
        except ProgrammingError as error:
            if sqlstate(error) not in _GONE:
                raise
            # Two rebuilds within the time we remember a schema; look again.
            await self.positions(view)
            return await self._rows(self._known[_key(view)].schema, statement)

    async def positions(self, view: type[View] | View) -> dict[str, int]:
        """How far the live view has come in each of its ledgers."""
        asked = monotonic()
        async with away_is_unavailable(), self._engine.connect() as connection:
            found = (await connection.execute(_WHERE, _identity(view))).all()
        if not found:
            raise ViewMissing(f"view {view.name} is being built")
        known, since = self._known.get(_key(view)), found[0].changed_at
        # Questions cross: an answer from before a swap that comes after one from behind it MUST NOT lead back. What was
        # asked for later is later, whatever the database's clock says.
        if known is None or since >= known.since or asked >= known.learned:
            self._known[_key(view)] = _Known(schema=found[0].schema_name, since=since, learned=monotonic())
        return {row.ledger: row.position for row in found if row.ledger is not None}

    async def wait(self, view: type[View] | View, positions: Mapping[str, int], timeout: float = 5.0) -> None:  # noqa: ASYNC109 the caller's patience is part of the question
        """Return when the view has reached these positions; TimeoutError after `timeout` seconds.

        Ledgers that the view does not follow are not waited for.
        """
        wanted = {ledger: position for ledger, position in positions.items() if ledger in view.sources}
        async with asyncio.timeout(timeout):
            while True:
                try:
                    reached = await self.positions(view)
                except ViewMissing:
                    reached = {}
                if all(reached.get(ledger, 0) >= position for ledger, position in wanted.items()):
                    return
                await asyncio.sleep(POLL)

    async def _schema(self, view: type[View] | View) -> str:
        known = self._known.get(_key(view))
        if known is None or monotonic() >= known.learned + REMEMBERED:
            await self.positions(view)
        return self._known[_key(view)].schema

    async def _rows(self, schema: str, statement: Executable) -> Sequence[RowMapping]:
        async with away_is_unavailable(), self._engine.connect() as connection:
            options: dict[str, Any] = {"schema_translate_map": {None: schema}}
            return (await connection.execute(statement, execution_options=options)).mappings().all()


def _key(view: type[View] | View) -> _Key:
    return view.name, view.version, view.shape()


def _identity(view: type[View] | View) -> dict[str, object]:
    return dict(zip(("view", "version", "shape"), _key(view), strict=True))
