"""Who speaks, who is silent, and the heartbeats, as people see them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, Table, Text, select

from letopis.audit.voice.events import (
    HEARTBEAT_FACTS,
    VOICE_FACTS,
    ExpectationSet,
    SilenceBegan,
)
from letopis.common.envelope import time_of, time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.inference.contract import CONTRACT, DECISIONS, DecisionMade, Deployed, Retired


class Speakers(View):
    """One row a model: its deployments that answer, since when, and its last decision."""

    name = "speaker"
    version = 1
    metadata = MetaData()
    table = Table(
        "speaker",
        metadata,
        Column("model_id", Text, primary_key=True),
        Column("live", JSON, nullable=False),
        Column("deployed_at", Text),
        Column("decided_at", Text),
    )
    sources = {"inference": CONTRACT, "decisions": DECISIONS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.model_id,))] if isinstance(told.fact, Deployed | Retired | DecisionMade) else []

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        if not isinstance(fact, Deployed | Retired | DecisionMade):
            return
        key, at = (fact.model_id,), time_text(told.record.recorded_at)
        row = rows[self.table, key] or {"model_id": fact.model_id, "live": [], "deployed_at": None, "decided_at": None}
        if isinstance(fact, DecisionMade):
            rows[self.table, key] = row | {"decided_at": max(row["decided_at"] or "", at)}
        elif isinstance(fact, Deployed):
            rows[self.table, key] = row | {"live": sorted({*row["live"], fact.deployment_id}), "deployed_at": at}
        else:
            rows[self.table, key] = row | {"live": [one for one in row["live"] if one != fact.deployment_id]}


class Silences(View):
    """One row for each service, ledger or model that was ever silent or of which something is expected."""

    name = "silence"
    version = 1
    metadata = MetaData()
    table = Table(
        "silence",
        metadata,
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("silent", Boolean, nullable=False),
        Column("within_seconds", BigInteger),
        Column("expected_by", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("last_at", Text),
        Column("since", Text),
        Column("times", Integer, nullable=False),
    )
    sources = {"audit": VOICE_FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (f"{told.fact.kind}:{told.fact.name}",))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (f"{told.fact.kind}:{told.fact.name}",)
        row = rows[self.table, key] or {
            "id": key[0],
            "kind": fact.kind,
            "name": fact.name,
            "silent": False,
            "within_seconds": None,
            "expected_by": "",
            "reason": "",
            "last_at": None,
            "since": None,
            "times": 0,
        }
        if isinstance(fact, ExpectationSet):
            change = {"within_seconds": fact.within_seconds, "expected_by": fact.by, "reason": fact.reason}
        elif isinstance(fact, SilenceBegan):
            last = time_text(fact.last_at) if fact.last_at else None
            change = {"silent": True, "within_seconds": fact.within_seconds, "last_at": last}
            change |= {"since": time_text(fact.at), "times": row["times"] + 1}
        else:
            last = time_text(fact.heard_at) if fact.heard_at else row["last_at"]
            change = {"silent": False, "last_at": last, "since": time_text(fact.at)}
        rows[self.table, key] = row | change


class Heartbeats(View):
    """One row a heartbeat."""

    name = "heartbeat"
    version = 1
    metadata = MetaData()
    table = Table(
        "heartbeat",
        metadata,
        Column("position", BigInteger, primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("at", Text, nullable=False),
        Column("complete", Boolean, nullable=False),
        Column("missing", JSON, nullable=False),
        Column("ledgers", JSON, nullable=False),
    )
    sources = {"audit": HEARTBEAT_FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.record.position,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, position = told.fact, told.record.position
        rows[self.table, (position,)] = {
            "position": position,
            "number": fact.number,
            "at": time_text(fact.at),
            "complete": fact.complete,
            "missing": list(fact.missing),
            "ledgers": {
                name: {"owner": one.owner, "copied": one.copied, "sealed": one.sealed, "halted": one.halted}
                for name, one in fact.ledgers.items()
            },
        }


class Speaker(NamedTuple):
    """A model, whether it answers an application, and when it was last heard of."""

    name: str
    live: bool
    last_at: datetime | None


async def speakers(views: ViewReader) -> list[Speaker]:
    """Every model that was ever deployed or decided."""
    rows = await views.rows(Speakers, select(Speakers.table).order_by(Speakers.table.c.model_id))
    found = []
    for row in rows:
        last = max(row["decided_at"] or "", row["deployed_at"] or "")
        found.append(Speaker(row["model_id"], bool(row["live"]), time_of(last) if last else None))
    return found


async def silences(views: ViewReader) -> list[dict[str, Any]]:
    """What is expected of whom, the silent first."""
    table = Silences.table
    rows = await views.rows(Silences, select(table).order_by(table.c.silent.desc(), table.c.kind, table.c.name))
    return [dict(row) for row in rows]


async def heartbeats(views: ViewReader, limit: int) -> list[dict[str, Any]]:
    """The last heartbeats, newest first."""
    table = Heartbeats.table
    rows = await views.rows(Heartbeats, select(table).order_by(table.c.position.desc()).limit(limit))
    return [dict(row) for row in rows]
