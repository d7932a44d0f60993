"""Promotions as approvers read them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.contract import (
    CONTRACT,
    PromotionApproved,
    PromotionCompleted,
    PromotionRejected,
    PromotionRequested,
)


class PromotionCards(View):
    """One row a promotion: what to sign, who signed, and how it ended."""

    name = "promotion_cards"
    version = 1
    metadata = MetaData()
    table = Table(
        "promotion_cards",
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
        Column("votes", JSON, nullable=False),
        Column("state", Text, nullable=False),
        Column("requested_at", Text, nullable=False),
    )
    sources = {"registry": CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        if isinstance(told.fact, PromotionRequested | PromotionApproved | PromotionRejected | PromotionCompleted):
            return [(self.table, (told.fact.promotion_id,))]
        return []

    def project(self, rows: Rows, told: Told) -> None:
        fact, moment = told.fact, time_text(told.record.recorded_at)
        if isinstance(fact, PromotionRequested):
            rows[self.table, (fact.promotion_id,)] = _requested(fact, moment)
            return
        if not isinstance(fact, PromotionApproved | PromotionRejected | PromotionCompleted):
            return
        row = rows[self.table, (fact.promotion_id,)]
        if row is None:
            return
        if isinstance(fact, PromotionCompleted):
            changed: dict[str, Any] = {"state": "completed"}
        else:
            verdict = "approves" if isinstance(fact, PromotionApproved) else "rejects"
            vote = {
                "person": fact.person,
                "verdict": verdict,
                "key_id": fact.key_id,
                "signature": fact.signature,
                "comment": fact.comment,
                "at": moment,
                "position": told.record.position,
                "event_id": str(told.record.event_id),
            }
            changed = {"votes": [*row["votes"], vote]}
            if isinstance(fact, PromotionRejected):
                changed["state"] = "rejected"
        rows[self.table, (fact.promotion_id,)] = {**row, **changed}


def _requested(fact: PromotionRequested, moment: str) -> dict[str, Any]:
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
        "votes": [],
        "state": "requested",
        "requested_at": moment,
    }


async def promotion(views: ViewReader, promotion_id: str) -> dict[str, Any] | None:
    """One promotion, or None."""
    table = PromotionCards.table
    rows = await views.rows(PromotionCards, select(table).where(table.c.promotion_id == promotion_id))
    return dict(rows[0]) if rows else None


async def promotions(views: ViewReader, *, version_id: str | None = None) -> list[dict[str, Any]]:
    """The latest 200 promotions, newest first, of one version where given."""
    table = PromotionCards.table
    wanted = select(table).order_by(table.c.requested_at.desc()).limit(200)
    if version_id:
        wanted = wanted.where(table.c.version_id == version_id)
    return [dict(row) for row in await views.rows(PromotionCards, wanted)]
