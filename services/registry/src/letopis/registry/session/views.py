"""The sessions that are open now."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.session.events import FACTS, SessionOpened


class OpenSessions(View):
    """One row a session, gone when it is closed."""

    name = "open_sessions"
    version = 1
    metadata = MetaData()
    table = Table(
        "open_sessions",
        metadata,
        Column("session_id", Text, primary_key=True),
        Column("login", Text, nullable=False),
        Column("cores", Integer, nullable=False),
        Column("memory_gb", Integer, nullable=False),
        Column("environment", Text, nullable=False),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.session_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, place = told.fact, (self.table, (told.fact.session_id,))
        if not isinstance(fact, SessionOpened):
            del rows[place]
            return
        rows[place] = {
            "session_id": fact.session_id,
            "login": fact.login,
            "cores": fact.cores,
            "memory_gb": fact.memory_gb,
            "environment": fact.environment,
        }


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """All open sessions by person."""
    query = select(OpenSessions.table).order_by("login", "session_id")
    return [dict(row) for row in await views.rows(OpenSessions, query)]
