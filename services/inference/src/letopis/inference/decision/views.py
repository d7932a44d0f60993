"""Where each decision stands in the ledger; the decision itself is read from there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, Table, Text, select
from sqlalchemy.dialects import postgresql

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.inference.decision.events import FACTS, DecisionMade


class DecisionIndex(View):
    """One slim row a decision."""

    name = "decision"
    version = 1
    metadata = MetaData()
    table = Table(
        "decision_index",
        metadata,
        Column("decision_id", postgresql.UUID(as_uuid=True), primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("application", Text, nullable=False),
        Column("api_version", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("entity_id", Text, nullable=False),
        Column("score", Double, nullable=False),
        Column("decision", Text, nullable=False),
        Column("decided_at", Text, nullable=False),
        Column("as_of", Text),
        Column("job_id", Text, nullable=False),
        Index("decision_entity", "entity_id"),
        Index("decision_moment", "application", "decided_at"),
    )
    sources = {"decisions": FACTS}
    shares = "fact"

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.record.event_id,))] if isinstance(told.fact, DecisionMade) else []

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        if not isinstance(fact, DecisionMade):
            return
        rows[self.table, (told.record.event_id,)] = {
            "decision_id": told.record.event_id,
            "position": told.record.position,
            "application": fact.application,
            "api_version": fact.api_version,
            "version_id": fact.version_id,
            "entity_id": fact.entity_id,
            "score": fact.score,
            "decision": fact.decision,
            "decided_at": time_text(fact.decided_at),
            "as_of": time_text(fact.as_of) if fact.as_of else None,
            "job_id": fact.job_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to list; empty means any."""

    application: str = ""
    entity_id: str = ""
    decision: str = ""
    job_id: str = ""
    limit: int = 100


async def position_of(views: ViewReader, decision_id: UUID) -> int | None:
    """The ledger position of a decision, or None."""
    table = DecisionIndex.table
    rows = await views.rows(DecisionIndex, select(table.c.position).where(table.c.decision_id == decision_id))
    return int(rows[0]["position"]) if rows else None


async def decisions(views: ViewReader, wanted: Wanted) -> list[dict[str, Any]]:
    """Decisions, newest first."""
    table = DecisionIndex.table
    query = select(table).order_by(table.c.position.desc()).limit(wanted.limit)
    for name in ("application", "entity_id", "decision", "job_id"):
        if value := getattr(wanted, name):
            query = query.where(table.c[name] == value)
    return [dict(row) for row in await views.rows(DecisionIndex, query)]
