"""What was found of the standing claims, newest first."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text, select

from letopis.audit.claim.events import EVALUATION_FACTS
from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader


class ClaimsEvaluation(View):
    """One row an evaluation that was recorded."""

    name = "claims_evaluation"
    version = 1
    metadata = MetaData()
    table = Table(
        "claims_evaluation",
        metadata,
        Column("evaluation_id", Text, primary_key=True),
        Column("position", BigInteger, nullable=False, index=True),
        Column("at", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("positions", JSON, nullable=False),
        Column("claims", JSON, nullable=False),
    )
    sources = {"audit": EVALUATION_FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.evaluation_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        rows[self.table, (fact.evaluation_id,)] = {
            "evaluation_id": fact.evaluation_id,
            "position": told.record.position,
            "at": time_text(fact.at),
            "sha256": fact.sha256,
            "positions": fact.positions,
            "claims": [
                {name: getattr(one, name) for name in ("claim_id", "verdict", "checked", "open", "violations")}
                for one in fact.claims
            ],
        }


async def latest(views: ViewReader, limit: int = 1) -> list[dict[str, Any]]:
    """The last recorded evaluations, newest first."""
    table = ClaimsEvaluation.table
    rows = await views.rows(ClaimsEvaluation, select(table).order_by(table.c.position.desc()).limit(limit))
    return [dict(row) for row in rows]
