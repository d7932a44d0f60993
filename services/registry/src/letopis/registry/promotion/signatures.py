"""What a key signed: verdicts on promotions, and which of them stand behind what is in production."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from letopis.common.envelope import time_text
from letopis.common.projecting import ViewReader
from letopis.registry.promotion.views import PromotionSummary
from letopis.registry.version.views import Models


async def signed_with(views: ViewReader, key_id: str, since: datetime | None) -> list[dict[str, Any]]:
    """Verdicts by this key, from `since` on (the time the registry recorded them), the latest first."""
    table = PromotionSummary.table
    current = {row["in_production"] for row in await views.rows(Models, select(Models.table.c.in_production))}
    found = [
        {
            "promotion_id": row["promotion_id"],
            "model_id": row["model_id"],
            "version_id": row["version_id"],
            "verdict": vote["verdict"],
            "at": vote["at"],
            "promotion": row["state"],
            "in_production": row["state"] == "completed" and row["version_id"] in current,
        }
        for row in await views.rows(PromotionSummary, select(table))
        for vote in row["approvals"]
        if vote["key_id"] == key_id and (since is None or vote["at"] >= time_text(since))
    ]
    return sorted(found, key=lambda one: one["at"], reverse=True)
