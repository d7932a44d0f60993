"""Schedules as people list them, and as the clock finds them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, select

from letopis.audit.schedule.events import FACTS, ScheduleFulfilled, ScheduleSet
from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader


class Schedules(View):
    """One row a schedule: what it issues, whether it runs, and what it issued last."""

    name = "schedule"
    version = 1
    metadata = MetaData()
    table = Table(
        "schedule",
        metadata,
        Column("schedule_id", Text, primary_key=True),
        Column("type", Text, nullable=False),
        Column("every", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("set_at", Text, nullable=False),
        Column("last_report_id", Text, nullable=False),
        Column("last_day", Text, nullable=False),
        Column("place", Text, nullable=False),
    )
    sources = {"audit": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.schedule_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.schedule_id,)
        row = rows[self.table, key] or {
            "schedule_id": fact.schedule_id,
            "last_report_id": "",
            "last_day": "",
            "place": "",
        }
        if isinstance(fact, ScheduleSet):
            row |= {"type": fact.type, "every": fact.every, "state": "running", "by": fact.by}
            row["set_at"] = time_text(told.record.recorded_at)
        elif isinstance(fact, ScheduleFulfilled):
            row |= {"last_report_id": fact.report_id, "last_day": fact.last_day.isoformat(), "place": fact.place}
        else:
            row |= {"state": "stopped"}
        rows[self.table, key] = dict(row)


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """Every schedule, by name."""
    table = Schedules.table
    return [dict(row) for row in await views.rows(Schedules, select(table).order_by(table.c.schedule_id))]
