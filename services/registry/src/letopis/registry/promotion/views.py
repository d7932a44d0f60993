"""Promotions as requesters and approvers see them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.promotion.events import (
    FACTS,
    PromotionApproved,
    PromotionCompleted,
    PromotionRejected,
    PromotionRequested,
)


class PromotionSummary(View):
    """One row a promotion: the digests to sign, who signed, and how it ended."""

    name = "promotion"
    version = 1
    metadata = MetaData()
    table = Table(
        "promotion_summary",
        metadata,
        Column("promotion_id", Text, primary_key=True),
        Column("version_id", Text, nullable=False),
        Column("model_id", Text, nullable=False),
        Column("stage", Text, nullable=False),
        Column("tier", Integer, nullable=False),
        Column("version_digest", Text, nullable=False),
        Column("environment_digest", Text, nullable=False),
        Column("policy_revision", Text, nullable=False),
        Column("evidence", JSON, nullable=False),
        Column("author", Text, nullable=False),
        Column("requester", Text, nullable=False),
        Column("comment", Text, nullable=False),
        Column("approvals_needed", Integer, nullable=False),
        Column("approvals", JSON, nullable=False),
        Column("state", Text, nullable=False),
        Column("requested_at", Text, nullable=False),
        Column("decided_at", Text),
        Column("position", BigInteger, nullable=False),
    )
    sources = {"registry": FACTS}
    shares = "stream"

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.promotion_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.promotion_id,)
        moment = time_text(told.record.recorded_at)
        if isinstance(fact, PromotionRequested):
            rows[self.table, key] = _requested(fact, moment, told.record.position)
            return
        row = rows[self.table, key]
        if row is None:
            return
        changed: dict[str, Any] = {"position": told.record.position}
        match fact:
            case PromotionApproved() | PromotionRejected():
                vote = {
                    "person": fact.person,
                    "verdict": "approve" if isinstance(fact, PromotionApproved) else "reject",
                    "key_id": fact.key_id,
                    "signature": fact.signature,
                    "comment": fact.comment,
                    "at": moment,
                }
                changed["approvals"] = [*row["approvals"], vote]
                if isinstance(fact, PromotionRejected):
                    changed |= {"state": "rejected", "decided_at": moment}
            case PromotionCompleted():
                changed |= {"state": "completed", "decided_at": moment}
            case _:
                pass
        rows[self.table, key] = {**row, **changed}


def _requested(fact: PromotionRequested, moment: str, position: int) -> dict[str, Any]:
    return {
        "promotion_id": fact.promotion_id,
        "version_id": fact.version_id,
        "model_id": fact.model_id,
        "stage": fact.stage,
        "tier": fact.tier,
        "version_digest": fact.version_digest,
        "environment_digest": fact.environment_digest,
        "policy_revision": fact.policy_revision,
        "evidence": fact.evidence,
        "author": fact.author,
        "requester": fact.requester,
        "comment": fact.comment,
        "approvals_needed": fact.approvals_needed,
        "approvals": [],
        "state": "requested",
        "requested_at": moment,
        "decided_at": None,
        "position": position,
    }


async def promotion(views: ViewReader, promotion_id: str) -> dict[str, Any] | None:
    """One promotion, or None."""
    table = PromotionSummary.table
    rows = await views.rows(PromotionSummary, select(table).where(table.c.promotion_id == promotion_id))
    return dict(rows[0]) if rows else None


async def promotions(views: ViewReader, state: str | None, model_id: str | None) -> list[dict[str, Any]]:
    """Promotions, newest first, of a state or a model where given."""
    table = PromotionSummary.table
    wanted = select(table).order_by(table.c.requested_at.desc()).limit(500)
    if state:
        wanted = wanted.where(table.c.state == state)
    if model_id:
        wanted = wanted.where(table.c.model_id == model_id)
    return [dict(row) for row in await views.rows(PromotionSummary, wanted)]
