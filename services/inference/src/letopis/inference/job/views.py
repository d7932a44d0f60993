"""Jobs as their starters see them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.inference.job.events import FACTS, JobCompleted, JobFailed, JobStarted


class JobSummary(View):
    """One row a job."""

    name = "job"
    version = 1
    metadata = MetaData()
    table = Table(
        "job_summary",
        metadata,
        Column("job_id", Text, primary_key=True),
        Column("application", Text, nullable=False),
        Column("api_version", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("as_of", Text),
        Column("rows", Integer, nullable=False),
        Column("scored", Integer, nullable=False),
        Column("refused", Integer, nullable=False),
        Column("source_sha256", Text, nullable=False),
        Column("output_sha256", Text, nullable=False),
        Column("consumer", Text, nullable=False),
        Column("started_at", Text, nullable=False),
        Column("ended_at", Text),
        Column("note", Text, nullable=False),
    )
    sources = {"inference": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.job_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        key, row = (told.fact.job_id,), rows[self.table, (told.fact.job_id,)]
        moment = time_text(told.record.recorded_at)
        match told.fact:
            case JobStarted() as fact:
                rows[self.table, key] = {
                    "job_id": fact.job_id,
                    "application": fact.application,
                    "api_version": fact.api_version,
                    "version_id": fact.version_id,
                    "state": "running",
                    "as_of": time_text(fact.as_of) if fact.as_of else None,
                    "rows": fact.rows,
                    "scored": 0,
                    "refused": 0,
                    "source_sha256": fact.source_sha256,
                    "output_sha256": "",
                    "consumer": fact.consumer,
                    "started_at": moment,
                    "ended_at": None,
                    "note": "",
                }
            case JobCompleted() as fact if row is not None:
                rows[self.table, key] = {
                    **row,
                    "state": "completed",
                    "scored": fact.scored,
                    "refused": fact.refused,
                    "output_sha256": fact.output_sha256,
                    "ended_at": moment,
                }
            case JobFailed() as fact if row is not None:
                rows[self.table, key] = {**row, "state": "failed", "ended_at": moment, "note": fact.detail}
            case _:
                pass


async def job(views: ViewReader, job_id: str) -> dict[str, Any] | None:
    """One job, or None."""
    table = JobSummary.table
    rows = await views.rows(JobSummary, select(table).where(table.c.job_id == job_id))
    return dict(rows[0]) if rows else None


async def jobs(views: ViewReader) -> list[dict[str, Any]]:
    """Jobs, newest first."""
    table = JobSummary.table
    rows = await views.rows(JobSummary, select(table).order_by(table.c.started_at.desc()).limit(200))
    return [dict(row) for row in rows]
