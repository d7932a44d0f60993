"""Alerts as they stand."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, DateTime, Double, Integer, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.monitoring.alert.events import FACTS, AlertAcknowledged, AlertContinued, AlertOpened, AlertResolved

_TOLD = ("bucket", "bucket_start", "severity", "text", "old", "new", "old_rows", "new_rows")


class Alerts(View):
    """One row an alert: its latest episode, with the numbers told last."""

    name = "alerts"
    version = 1
    metadata = MetaData()
    table = Table(
        "alerts",
        metadata,
        Column("alert_id", Text, primary_key=True),
        Column("episode", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("check", Text, nullable=False),
        Column("feature", Text, nullable=False),
        Column("level", Text, nullable=False),
        Column("first_bucket", Text, nullable=False),
        Column("bucket", Text, nullable=False),
        Column("bucket_start", DateTime(timezone=True), nullable=False),
        Column("severity", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("measure", Text, nullable=False),
        Column("old", Double, nullable=False),
        Column("new", Double, nullable=False),
        Column("old_rows", Integer, nullable=False),
        Column("new_rows", Integer, nullable=False),
        Column("opened_at", DateTime(timezone=True), nullable=False),
        Column("position", Integer, nullable=False),
        Column("acknowledged_by", Text),
        Column("resolved_by", Text),
        Column("verdict", Text),
        Column("comment", Text),
    )
    sources = {"monitoring": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.alert_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        key = (told.fact.alert_id,)
        row = rows[self.table, key]
        match told.fact:
            case AlertOpened() as fact:
                same = ("alert_id", "episode", "model_id", "version_id", "kind", "check", "feature", "level", "measure")
                rows[self.table, key] = {
                    **{name: getattr(fact, name) for name in (*same, *_TOLD)},
                    "state": "open",
                    "first_bucket": fact.bucket,
                    "opened_at": fact.at,
                    "position": told.record.position,
                }
            case AlertContinued() as fact if row is not None:
                rows[self.table, key] = {**row, **{name: getattr(fact, name) for name in _TOLD}}
            case AlertAcknowledged() as fact if row is not None:
                rows[self.table, key] = {
                    **row,
                    "state": "acknowledged",
                    "acknowledged_by": fact.person,
                    "comment": fact.comment,
                }
            case AlertResolved() as fact if row is not None:
                rows[self.table, key] = {
                    **row,
                    "state": "resolved",
                    "resolved_by": fact.person,
                    "verdict": fact.verdict,
                    "comment": fact.comment,
                }


async def alerts(
    views: ViewReader, *, alert_id: str | None = None, state: str | None = None, version_id: str | None = None
) -> Sequence[Any]:
    """Alerts that match, the one of the newest bucket first."""
    table = Alerts.table
    query = select(table).order_by(table.c.bucket_start.desc(), table.c.position)
    for column, value in ((table.c.alert_id, alert_id), (table.c.state, state), (table.c.version_id, version_id)):
        if value is not None:
            query = query.where(column == value)
    return await views.rows(Alerts, query)
