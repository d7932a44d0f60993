"""Models and their versions as the register shows them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.evidence.events import FACTS as EVIDENCE
from letopis.registry.evidence.events import EvidenceAdded
from letopis.registry.model.events import FACTS as MODEL
from letopis.registry.model.events import ModelRegistered, UseCaseAssigned
from letopis.registry.production.events import FACTS as PRODUCTION
from letopis.registry.production.events import ProductionEntered, ProductionRolledBack
from letopis.registry.version.events import FACTS as VERSION
from letopis.registry.version.events import VersionRegistered


class Models(View):
    """One row a model: owner, use case, how many versions, and which one is in production."""

    name = "models"
    version = 1
    metadata = MetaData()
    table = Table(
        "models",
        metadata,
        Column("model_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("use_case_id", Text),
        Column("versions", Integer, nullable=False),
        Column("in_production", Text),
        Column("since", Text),
    )
    sources = {"registry": MODEL | VERSION | PRODUCTION}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.model_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.model_id,)
        row = rows[self.table, key]
        match fact:
            case ModelRegistered():
                rows[self.table, key] = {
                    "model_id": fact.model_id,
                    "name": fact.name,
                    "owner": fact.owner,
                    "description": fact.description,
                    "use_case_id": None,
                    "versions": 0,
                    "in_production": None,
                    "since": None,
                }
            case UseCaseAssigned() if row is not None:
                rows[self.table, key] = {**row, "use_case_id": fact.use_case_id}
            case VersionRegistered() if row is not None:
                rows[self.table, key] = {**row, "versions": row["versions"] + 1}
            case ProductionEntered() | ProductionRolledBack() if row is not None:
                current = fact.version_id if isinstance(fact, ProductionEntered) else fact.to_version_id
                since = time_text(told.record.recorded_at)
                rows[self.table, key] = {**row, "in_production": current, "since": since}
            case _:
                pass


class Versions(View):
    """One row a version: bundle, author, and the last evidence of each kind."""

    name = "versions"
    version = 1
    metadata = MetaData()
    table = Table(
        "versions",
        metadata,
        Column("version_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("digest", Text, nullable=False),
        Column("author", Text, nullable=False),
        Column("manifest", JSON, nullable=False),
        Column("signature", Text, nullable=False),
        Column("key_id", Text, nullable=False),
        Column("registered_at", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("evidence", JSON, nullable=False),
    )
    sources = {"registry": VERSION | EVIDENCE}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.version_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.version_id,)
        if isinstance(fact, VersionRegistered):
            rows[self.table, key] = {
                "version_id": fact.version_id,
                "model_id": fact.model_id,
                "number": fact.number,
                "digest": fact.digest,
                "author": fact.author,
                "manifest": fact.manifest,
                "signature": fact.signature,
                "key_id": fact.key_id,
                "registered_at": time_text(told.record.recorded_at),
                "position": told.record.position,
                "evidence": {},
            }
        elif isinstance(fact, EvidenceAdded) and (row := rows[self.table, key]) is not None:
            added = {
                "outcome": fact.outcome,
                "summary": fact.summary,
                "numbers": fact.numbers,
                "attachment": fact.attachment,
                "digest": fact.digest,
                "by": fact.by,
                "position": told.record.position,
            }
            rows[self.table, key] = {**row, "evidence": {**row["evidence"], fact.kind: added}}


class ProductionHistory(View):
    """Which version of a model was in production from when: one row a change."""

    name = "production_history"
    version = 1
    metadata = MetaData()
    table = Table(
        "production_history",
        metadata,
        Column("position", BigInteger, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("since", Text, nullable=False),
        Column("how", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )
    sources = {"registry": PRODUCTION}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.record.position,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, entered = told.fact, isinstance(told.fact, ProductionEntered)
        rows[self.table, (told.record.position,)] = {
            "position": told.record.position,
            "model_id": fact.model_id,
            "version_id": fact.version_id if entered else fact.to_version_id,
            "since": time_text(told.record.recorded_at),
            "how": "promotion" if entered else "rollback",
            "reason": fact.promotion_id if entered else fact.reason,
        }


async def models(views: ViewReader) -> list[dict[str, Any]]:
    """All models by id."""
    return [dict(row) for row in await views.rows(Models, select(Models.table).order_by("model_id"))]


async def versions_of(views: ViewReader, model_id: str) -> list[dict[str, Any]]:
    """The versions of a model, newest first."""
    table = Versions.table
    wanted = select(table).where(table.c.model_id == model_id).order_by(table.c.number.desc())
    return [dict(row) for row in await views.rows(Versions, wanted)]


async def version(views: ViewReader, version_id: str) -> dict[str, Any] | None:
    """One version, or None."""
    table = Versions.table
    rows = await views.rows(Versions, select(table).where(table.c.version_id == version_id))
    return dict(rows[0]) if rows else None


async def history_of(views: ViewReader, model_id: str) -> list[dict[str, Any]]:
    """The changes of what is in production, oldest first."""
    table = ProductionHistory.table
    wanted = select(table).where(table.c.model_id == model_id).order_by(table.c.position)
    return [dict(row) for row in await views.rows(ProductionHistory, wanted)]
