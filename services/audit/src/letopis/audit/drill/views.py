"""Drills as people see them; of one that goes on, nothing but that it was committed to."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, select

from letopis.audit.drill.events import FACTS, DrillCommitted
from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader


class Drills(View):
    """One row a drill."""

    name = "drill"
    version = 1
    metadata = MetaData()
    table = Table(
        "drill",
        metadata,
        Column("drill_id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("commitment", Text, nullable=False),
        Column("committed_by", Text, nullable=False),
        Column("committed_at", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("caught", Integer),
        Column("missed", Integer),
        Column("catches", JSON, nullable=False),
    )
    sources = {"audit": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.drill_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.drill_id,)
        if isinstance(fact, DrillCommitted):
            rows[self.table, key] = {
                "drill_id": fact.drill_id,
                "state": "sealed",
                "commitment": fact.commitment,
                "committed_by": fact.by,
                "committed_at": time_text(told.record.recorded_at),
                "title": "",
                "caught": None,
                "missed": None,
                "catches": [],
            }
        elif (row := rows[self.table, key]) is not None:
            plan = msgspec.json.decode(fact.plan)
            said = {one["id"]: one["what"] for one in plan["injections"]}
            rows[self.table, key] = row | {
                "state": "revealed",
                "title": str(plan["title"]),
                "caught": fact.caught,
                "missed": fact.missed,
                "catches": [
                    {
                        "injection": one.injection,
                        "what": said.get(one.injection, ""),
                        "caught": one.caught,
                        "place": one.place,
                        "event_id": one.event_id,
                        "seconds": one.seconds,
                    }
                    for one in fact.catches
                ],
            }


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """Every drill, newest first."""
    table = Drills.table
    rows = await views.rows(Drills, select(table).order_by(table.c.committed_at.desc(), table.c.drill_id))
    return [dict(row) for row in rows]
