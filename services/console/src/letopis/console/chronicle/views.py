"""The chronicle as a list: one row a fact of every ledger but telemetry."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, or_, select, tuple_

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.console.chronicle.raw import RawFacts

LEDGERS = ("registry", "features", "access", "inference", "monitoring", "audit", "console")
SHOWN = 400
HEARTBEAT = "audit.heartbeat.recorded"


class Chronicle(View):
    """One row a fact: who, what, why, and the beginning of its content."""

    name = "chronicle"
    version = 1
    metadata = MetaData()
    table = Table(
        "chronicle",
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        Column("event_id", Text, nullable=False, index=True),
        Column("type", Text, nullable=False),
        Column("stream", Text, nullable=False),
        Column("recorded_at", Text, nullable=False, index=True),
        Column("who", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("content", Text, nullable=False),
    )
    sources = dict.fromkeys(LEDGERS, RawFacts())

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.record.ledger, told.record.position))]

    def project(self, rows: Rows, told: Told) -> None:
        record, meta = told.record, told.meta
        content = record.data.decode()
        rows[self.table, (record.ledger, record.position)] = {
            "ledger": record.ledger,
            "position": record.position,
            "event_id": str(record.event_id),
            "type": record.type,
            "stream": record.stream,
            "recorded_at": time_text(record.recorded_at),
            "who": meta.actor.person or meta.actor.login or meta.actor.service,
            "purpose": meta.purpose,
            "action": meta.authorization.action if meta.authorization else "",
            "content": content if len(content) <= SHOWN else content[:SHOWN] + "...",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which facts: of one ledger, holding a text in name, stream, person or content, before a mark."""

    ledger: str = ""
    text: str = ""
    before: str = ""


async def facts(views: ViewReader, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    """The latest facts that fit, newest first."""
    table = Chronicle.table
    order = (table.c.recorded_at, table.c.ledger, table.c.position)
    query = select(table).order_by(*(column.desc() for column in order)).limit(limit)
    if wanted.ledger:
        query = query.where(table.c.ledger == wanted.ledger)
    if wanted.text:
        columns = (table.c.type, table.c.stream, table.c.who, table.c.event_id, table.c.content)
        query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    else:
        # One a minute; whoever wants them searches for them.
        query = query.where(table.c.type != HEARTBEAT)
    if place := _place(wanted.before):
        query = query.where(tuple_(*order) < tuple_(*place))
    return [dict(row) for row in await views.rows(Chronicle, query)]


async def fact(views: ViewReader, event_id: str) -> dict[str, Any] | None:
    """One fact, or None."""
    table = Chronicle.table
    rows = await views.rows(Chronicle, select(table).where(table.c.event_id == event_id.lower()))
    return dict(rows[0]) if rows else None


def mark(row: dict[str, Any]) -> str:
    """Where the next page begins."""
    return f"{row['recorded_at']} {row['ledger']} {row['position']}"


def _place(mark: str) -> tuple[str, str, int] | None:
    parts = mark.split(" ")
    if len(parts) != 3 or not parts[2].isdecimal() or len(parts[2]) > 15:
        return None
    return parts[0], parts[1], int(parts[2])
