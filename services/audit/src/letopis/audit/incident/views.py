"""Incidents as people see them: one row a ledger."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select

from letopis.audit.incident.events import (
    FACTS,
    ContinuationApproved,
    ContinuationRequested,
    IncidentClosed,
    IncidentOpened,
)
from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader


class IncidentSummary(View):
    """The last incident of each ledger."""

    name = "incident"
    version = 1
    metadata = MetaData()
    table = Table(
        "incident_summary",
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("detail", Text, nullable=False),
        Column("opened_at", Text, nullable=False),
        Column("closed_by", Text),
        Column("comment", Text),
    )
    sources = {"audit": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.ledger,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.ledger,)
        if isinstance(fact, IncidentOpened):
            rows[self.table, key] = {
                "ledger": fact.ledger,
                "state": "open",
                "kind": fact.kind,
                "position": fact.position,
                "detail": fact.detail,
                "opened_at": time_text(fact.at),
                "closed_by": None,
                "comment": None,
            }
        elif isinstance(fact, IncidentClosed) and (row := rows[self.table, key]) is not None:
            rows[self.table, key] = {**row, "state": "closed", "closed_by": fact.person, "comment": fact.comment}
        elif isinstance(fact, ContinuationRequested) and (row := rows[self.table, key]) is not None:
            rows[self.table, key] = {**row, "state": "requested", "comment": f"{fact.person}: {fact.reason}"}
        elif isinstance(fact, ContinuationApproved) and (row := rows[self.table, key]) is not None:
            rows[self.table, key] = {**row, "state": "closed", "closed_by": fact.person}


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """The last incident of each ledger that had one."""
    rows = await views.rows(IncidentSummary, select(IncidentSummary.table).order_by(IncidentSummary.table.c.ledger))
    return [dict(row) for row in rows]
