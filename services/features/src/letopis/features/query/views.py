"""Who read what: every offline read, refusal and denial, one row each."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text, func, select

from letopis.common.envelope import time_text
from letopis.common.http.denial import AuthorizationDenied, denials
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.query.events import FACTS, ReadCompleted, ReadFact, ReadFailed, ReadRefused, ReadStarted


class ReadLog(View):
    """One row a read; `outcome` is started, completed, failed, refused (by the gate) or denied (by policy)."""

    name = "read_log"
    version = 1
    metadata = MetaData()
    table = Table(
        "read_log",
        metadata,
        Column("read_id", Text, primary_key=True),
        Column("outcome", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("object_id", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("grants", JSON, nullable=False),
        Column("columns", JSON, nullable=False),
        Column("masks", JSON, nullable=False),
        Column("code", Text, nullable=False),
        Column("rows", BigInteger),
        Column("bytes", BigInteger),
        Column("result_sha256", Text),
        Column("at", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
    )
    sources = {"access": FACTS | denials("access")}
    shares = "stream"

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (_id(told.fact),))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, place = told.fact, (self.table, (_id(told.fact),))
        new: dict[str, Any] = {
            "read_id": _id(fact),
            "object_id": "",
            "grants": [],
            "columns": {},
            "masks": {},
            "code": "",
            "at": time_text(told.record.recorded_at),
            "position": told.record.position,
        }
        match fact:
            case ReadStarted():
                rows[place] = new | {
                    "outcome": "started",
                    "kind": fact.kind,
                    "object_id": fact.object_id,
                    "person": fact.person,
                    "purpose": fact.purpose,
                    "grants": list(fact.grants),
                    "columns": {source: list(columns) for source, columns in fact.planned.items()},
                    "masks": fact.masks,
                }
            case ReadRefused():
                refused = {"outcome": "refused", "kind": "query", "person": fact.person, "purpose": fact.purpose}
                rows[place] = new | refused | {"code": fact.code}
            case AuthorizationDenied():
                rows[place] = new | {
                    "outcome": "denied",
                    "kind": fact.action,
                    "object_id": fact.object_id,
                    "person": fact.person or fact.login,
                    "purpose": fact.purpose,
                    "code": ", ".join(fact.rules),
                }
            case ReadCompleted() if (row := rows[place]) is not None:
                done = {"rows": fact.rows, "bytes": fact.bytes, "result_sha256": fact.result_sha256}
                rows[place] = {**row, "outcome": "completed", **done}
            case ReadFailed() if (row := rows[place]) is not None:
                rows[place] = {**row, "outcome": "failed", "code": fact.code}
            case _:
                pass


def _id(fact: ReadFact | AuthorizationDenied) -> str:
    return fact.authorization_id if isinstance(fact, AuthorizationDenied) else fact.read_id


async def reads(
    views: ViewReader, *, person: str | None = None, outcome: str | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Reads, newest first, of a person or an outcome where named."""
    table = ReadLog.table
    wanted = select(table).order_by(table.c.position.desc()).limit(limit)
    if person:
        wanted = wanted.where(table.c.person == person)
    if outcome:
        wanted = wanted.where(table.c.outcome == outcome)
    return [dict(row) for row in await views.rows(ReadLog, wanted)]


async def readers(views: ViewReader) -> list[dict[str, Any]]:
    """By person: how many reads of each outcome, how many rows, and when last."""
    table = ReadLog.table
    wanted = (
        select(
            table.c.person,
            func.count().label("reads"),
            func.count().filter(table.c.outcome == "denied").label("denied"),
            func.count().filter(table.c.outcome == "refused").label("refused"),
            func.coalesce(func.sum(table.c.rows), 0).label("rows"),
            func.max(table.c.at).label("last_at"),
        )
        .group_by(table.c.person)
        .order_by(table.c.person)
    )
    return [{**row, "rows": int(row["rows"])} for row in await views.rows(ReadLog, wanted)]
