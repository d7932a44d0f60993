"""Emergencies as their reviewers see them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.break_glass.events import (
    FACTS,
    BreakGlassLapsed,
    BreakGlassOpened,
    BreakGlassRequested,
    BreakGlassReviewed,
)


class BreakGlasses(View):
    """One row an emergency: who asked, who agreed, until when, and what the review found."""

    name = "break_glass"
    version = 1
    metadata = MetaData()
    table = Table(
        "break_glass",
        metadata,
        Column("break_glass_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("hours", Integer, nullable=False),
        Column("requested_by", Text, nullable=False),
        Column("requested_at", Text, nullable=False),
        Column("confirmed_by", Text, nullable=False),
        Column("until", Text),
        Column("running", Boolean, nullable=False),
        Column("state", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("findings", Text, nullable=False),
        Column("reviewed_by", Text, nullable=False),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.break_glass_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, place = told.fact, (self.table, (told.fact.break_glass_id,))
        if isinstance(fact, BreakGlassRequested):
            rows[place] = {
                "break_glass_id": fact.break_glass_id,
                "model_id": fact.model_id,
                "version_id": fact.version_id,
                "reason": fact.reason,
                "hours": fact.hours,
                "requested_by": fact.by,
                "requested_at": time_text(fact.at),
                "confirmed_by": "",
                "until": None,
                "running": False,
                "state": "requested",
                "outcome": "",
                "findings": "",
                "reviewed_by": "",
            }
            return
        row = rows[place]
        if row is not None:
            rows[place] = {**row, **changed(fact)}


def changed(fact: object) -> dict[str, Any]:
    """The columns that a fact after the first changes."""
    match fact:
        case BreakGlassOpened(confirmed_by=by, until=until):
            return {"confirmed_by": by, "until": time_text(until), "running": True, "state": "unreviewed"}
        case BreakGlassLapsed():
            return {"running": False}
        case BreakGlassReviewed():
            told = {"outcome": fact.outcome, "findings": fact.findings, "reviewed_by": fact.by}
            return {"state": "reviewed", **told}
        case _:
            return {}


async def emergencies(views: ViewReader, state: str | None = None, model_id: str | None = None) -> list[dict[str, Any]]:
    """The latest first, of one state or model where given."""
    table = BreakGlasses.table
    wanted = select(table).order_by(table.c.requested_at.desc()).limit(1000)
    if state is not None:
        wanted = wanted.where(table.c.state == state)
    if model_id is not None:
        wanted = wanted.where(table.c.model_id == model_id)
    return [dict(row) for row in await views.rows(BreakGlasses, wanted)]


async def over(views: ViewReader, now: datetime) -> list[tuple[str, str]]:
    """Model and emergency of those whose hours are over and that are not ended yet."""
    table = BreakGlasses.table
    wanted = select(table).where(table.c.running, table.c.until <= time_text(now))
    return [(row["model_id"], row["break_glass_id"]) for row in await views.rows(BreakGlasses, wanted)]
