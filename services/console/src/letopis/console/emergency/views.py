"""Emergencies of each model: what runs without its evidence, and what nobody has reviewed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, Column, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.contract import (
    CONTRACT,
    BreakGlassLapsed,
    BreakGlassOpened,
    BreakGlassRequested,
    BreakGlassReviewed,
)

_KNOWN = BreakGlassRequested | BreakGlassOpened | BreakGlassLapsed | BreakGlassReviewed


class Emergencies(View):
    """One row an emergency that somebody agreed to."""

    name = "emergencies"
    version = 1
    metadata = MetaData()
    table = Table(
        "emergencies",
        metadata,
        Column("break_glass_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("people", Text, nullable=False),
        Column("until", Text, nullable=False),
        Column("running", Boolean, nullable=False),
        Column("review", Text, nullable=False),
    )
    sources = {"registry": CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.break_glass_id,))] if isinstance(told.fact, _KNOWN) else []

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        if isinstance(fact, BreakGlassOpened):
            rows[self.table, (fact.break_glass_id,)] = {
                "break_glass_id": fact.break_glass_id,
                "model_id": fact.model_id,
                "version_id": fact.version_id,
                "reason": fact.reason,
                "people": f"{fact.requested_by} and {fact.confirmed_by}",
                "until": time_text(fact.until),
                "running": True,
                "review": "",
            }
            return
        row = rows[self.table, (fact.break_glass_id,)] if isinstance(fact, _KNOWN) else None
        if row is None:
            return
        match fact:
            case BreakGlassLapsed(break_glass_id=id):
                rows[self.table, (id,)] = {**row, "running": False}
            case BreakGlassReviewed(break_glass_id=id):
                rows[self.table, (id,)] = {**row, "review": f"{fact.outcome}, {fact.by}: {fact.findings}"}
            case _:
                pass


async def emergencies(views: ViewReader, *, model_id: str | None = None) -> list[dict[str, Any]]:
    """The latest first; of one model all, else those that run or owe their review."""
    table = Emergencies.table
    wanted = select(table).order_by(table.c.until.desc()).limit(200)
    wanted = wanted.where(table.c.model_id == model_id if model_id else table.c.running | (table.c.review == ""))
    return [dict(row) for row in await views.rows(Emergencies, wanted)]
