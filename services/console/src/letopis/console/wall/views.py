"""Models and versions as the page shows them, folded from the facts of the registry."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry import contract as registry

_EMPTY = {
    "name": "",
    "owner": "",
    "use_case_id": None,
    "versions": 0,
    "in_production": None,
    "since": None,
    "waiting": 0,
}


class ModelCards(View):
    """One row a model: who answers for it, what is in production, and what waits."""

    name = "model_cards"
    version = 1
    metadata = MetaData()
    table = Table(
        "model_cards",
        metadata,
        Column("model_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("use_case_id", Text),
        Column("versions", Integer, nullable=False),
        Column("in_production", Text),
        Column("since", Text),
        Column("waiting", Integer, nullable=False),
    )
    sources = {"registry": registry.CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        model_id = getattr(told.fact, "model_id", None)
        return [(self.table, (model_id,))] if model_id else []

    def project(self, rows: Rows, told: Told) -> None:
        model_id = getattr(told.fact, "model_id", None)
        if not model_id:
            return
        row = rows[self.table, (model_id,)] or {"model_id": model_id, **_EMPTY}
        changed = _card(row, told)
        if changed:
            rows[self.table, (model_id,)] = {**row, **changed}


def _card(row: dict[str, Any], told: Told) -> dict[str, Any]:
    fact = told.fact
    match fact:
        case registry.ModelRegistered():
            return {"name": fact.name, "owner": fact.owner}
        case registry.UseCaseAssigned():
            return {"use_case_id": fact.use_case_id}
        case registry.VersionRegistered():
            return {"versions": row["versions"] + 1, "name": row["name"] or fact.model_name}
        case registry.PromotionRequested():
            return {"waiting": row["waiting"] + 1}
        case registry.PromotionCompleted() | registry.PromotionRejected():
            return {"waiting": row["waiting"] - 1}
        case registry.ProductionEntered():
            return {"in_production": fact.version_id, "since": time_text(told.record.recorded_at)}
        case registry.ProductionRolledBack():
            return {"in_production": fact.to_version_id, "since": time_text(told.record.recorded_at)}
        case _:
            return {}


class VersionCards(View):
    """One row a version: its bundle, author and the last evidence of each kind."""

    name = "version_cards"
    version = 1
    metadata = MetaData()
    table = Table(
        "version_cards",
        metadata,
        Column("version_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("digest", Text, nullable=False),
        Column("author", Text, nullable=False),
        Column("manifest", JSON, nullable=False),
        Column("registered_at", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("evidence", JSON, nullable=False),
    )
    sources = {"registry": registry.CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        if isinstance(told.fact, registry.VersionRegistered | registry.EvidenceAdded):
            return [(self.table, (told.fact.version_id,))]
        return []

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        if isinstance(fact, registry.VersionRegistered):
            rows[self.table, (fact.version_id,)] = {
                "version_id": fact.version_id,
                "model_id": fact.model_id,
                "number": fact.number,
                "digest": fact.digest,
                "author": fact.author,
                "manifest": fact.manifest,
                "registered_at": time_text(told.record.recorded_at),
                "position": told.record.position,
                "evidence": {},
            }
        elif isinstance(fact, registry.EvidenceAdded):
            row = rows[self.table, (fact.version_id,)]
            if row is not None:
                added = {"outcome": fact.outcome, "summary": fact.summary, "by": fact.by}
                rows[self.table, (fact.version_id,)] = {**row, "evidence": {**row["evidence"], fact.kind: added}}


async def cards(views: ViewReader) -> list[dict[str, Any]]:
    """All models by id."""
    return [dict(row) for row in await views.rows(ModelCards, select(ModelCards.table).order_by("model_id"))]


async def card(views: ViewReader, model_id: str) -> dict[str, Any] | None:
    """One model, or None."""
    table = ModelCards.table
    rows = await views.rows(ModelCards, select(table).where(table.c.model_id == model_id))
    return dict(rows[0]) if rows else None


async def versions_of(views: ViewReader, model_id: str) -> list[dict[str, Any]]:
    """Versions of a model, newest first."""
    table = VersionCards.table
    wanted = select(table).where(table.c.model_id == model_id).order_by(table.c.number.desc())
    return [dict(row) for row in await views.rows(VersionCards, wanted)]


async def version(views: ViewReader, version_id: str) -> dict[str, Any] | None:
    """One version, or None."""
    table = VersionCards.table
    rows = await views.rows(VersionCards, select(table).where(table.c.version_id == version_id))
    return dict(rows[0]) if rows else None
