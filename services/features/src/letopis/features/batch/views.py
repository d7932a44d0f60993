"""Batches: what stands online, and what is committed but not there yet."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.batch.events import FACTS, FeatureBatchCommitted


class BatchList(View):
    """One row a batch."""

    name = "batch_list"
    version = 1
    metadata = MetaData()
    table = Table(
        "batch",
        metadata,
        Column("batch_id", Text, primary_key=True),
        Column("view_id", Text, nullable=False),
        Column("as_of", Text, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("files", JSON, nullable=False),
        Column("min_event", Text, nullable=False),
        Column("max_event", Text, nullable=False),
        Column("committed_by", Text, nullable=False),
        Column("committed_at", Text, nullable=False),
        Column("written", BigInteger),
        Column("state_digest", Text),
        Column("online_at", Text),
        Column("position", BigInteger, nullable=False),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.batch_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key, moment = told.fact, (told.fact.batch_id,), time_text(told.record.recorded_at)
        if isinstance(fact, FeatureBatchCommitted):
            rows[self.table, key] = {
                "batch_id": fact.batch_id,
                "view_id": fact.view_id,
                "as_of": fact.as_of,
                "rows": fact.rows,
                "files": [{"sha256": one.sha256, "bytes": one.bytes, "rows": one.rows} for one in fact.files],
                "min_event": fact.min_event,
                "max_event": fact.max_event,
                "committed_by": fact.committed_by,
                "committed_at": moment,
                "position": told.record.position,
            }
            return
        row = rows[self.table, key]
        if row is not None:
            online = {"written": fact.written, "state_digest": fact.state_digest, "online_at": moment}
            rows[self.table, key] = {**row, **online}


async def batches(views: ViewReader, view_id: str | None = None) -> list[dict[str, Any]]:
    """Batches, newest first, of one view where named."""
    table = BatchList.table
    wanted = select(table).order_by(table.c.position.desc()).limit(500)
    if view_id:
        wanted = wanted.where(table.c.view_id == view_id)
    return [dict(row) for row in await views.rows(BatchList, wanted)]
