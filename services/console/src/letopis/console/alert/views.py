"""Alerts by model: what was seen, since when, and what people made of it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.monitoring.contract import ALERT, AlertAcknowledged, AlertContinued, AlertOpened, AlertResolved

RESOLVED = "resolved"


class AlertCards(View):
    """One row an alert, in its latest episode."""

    name = "alert_cards"
    version = 1
    metadata = MetaData()
    table = Table(
        "alert_cards",
        metadata,
        Column("alert_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False, index=True),
        Column("version_id", Text, nullable=False),
        Column("episode", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("feature", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("first_bucket", Text, nullable=False),
        Column("last_bucket", Text, nullable=False),
        Column("opened_at", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("comment", Text, nullable=False),
    )
    sources = {"monitoring": ALERT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.alert_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.alert_id,)
        if isinstance(fact, AlertOpened):
            rows[self.table, key] = _opened(fact)
        elif (row := rows[self.table, key]) is not None:
            rows[self.table, key] = {**row, **_changed(fact)}


def _opened(fact: AlertOpened) -> dict[str, Any]:
    return {
        "alert_id": fact.alert_id,
        "model_id": fact.model_id,
        "version_id": fact.version_id,
        "episode": fact.episode,
        "state": "open",
        "kind": fact.kind,
        "feature": fact.feature,
        "severity": fact.severity,
        "text": fact.text,
        "first_bucket": fact.bucket,
        "last_bucket": fact.bucket,
        "opened_at": time_text(fact.at),
        "person": "",
        "verdict": "",
        "comment": "",
    }


def _changed(fact: AlertContinued | AlertAcknowledged | AlertResolved) -> dict[str, Any]:
    match fact:
        case AlertContinued():
            return {"severity": fact.severity, "text": fact.text, "last_bucket": fact.bucket}
        case AlertAcknowledged():
            return {"state": "acknowledged", "person": fact.person, "comment": fact.comment}
        case AlertResolved():
            told = {"person": fact.person, "verdict": fact.verdict, "comment": fact.comment}
            return {"state": RESOLVED, **told}


async def alerts(views: ViewReader, *, model_id: str | None = None, resolved: bool = False) -> list[dict[str, Any]]:
    """Alerts that nobody has resolved (all, where asked for), the worst and latest first; of one model where given."""
    table = AlertCards.table
    # "critical" stands before "major" in the alphabet too.
    wanted = select(table).order_by(table.c.severity, table.c.opened_at.desc(), table.c.alert_id).limit(500)
    if model_id is not None:
        wanted = wanted.where(table.c.model_id == model_id)
    if not resolved:
        wanted = wanted.where(table.c.state != RESOLVED)
    return [dict(row) for row in await views.rows(AlertCards, wanted)]
