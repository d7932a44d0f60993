"""Training sets as people find them: their manifest, and whether their files still are what they were."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.dataset.events import FACTS, DatasetBuilt, DatasetRebuilt, DatasetVerified


class DatasetCatalogue(View):
    """One row a training set."""

    name = "dataset_catalogue"
    version = 1
    metadata = MetaData()
    table = Table(
        "dataset",
        metadata,
        Column("dataset_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("bundle_id", Text, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("columns", JSON, nullable=False),
        Column("files", JSON, nullable=False),
        Column("leak", JSON, nullable=False),
        Column("recipe", JSON, nullable=False),
        Column("built_by", Text, nullable=False),
        Column("built_at", Text, nullable=False),
        Column("read_id", Text, nullable=False),
        Column("rebuilds", Integer, nullable=False),
        Column("intact", Boolean),
        Column("damaged", JSON),
        Column("verified_at", Text),
        Column("position", BigInteger, nullable=False),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.dataset_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key, moment = told.fact, (told.fact.dataset_id,), time_text(told.record.recorded_at)
        row = rows[self.table, key]
        match fact:
            case DatasetBuilt():
                rows[self.table, key] = {
                    "dataset_id": fact.dataset_id,
                    "name": fact.name,
                    "purpose": fact.purpose,
                    "bundle_id": fact.bundle_id,
                    "rows": fact.rows,
                    "columns": [asdict(one) for one in fact.columns],
                    "files": [asdict(one) for one in fact.files],
                    "leak": [asdict(one) for one in fact.leak],
                    "recipe": fact.recipe,
                    "built_by": fact.built_by,
                    "built_at": moment,
                    "read_id": fact.read_id,
                    "rebuilds": 0,
                    "position": told.record.position,
                }
            case DatasetRebuilt() if row is not None:
                rows[self.table, key] = {**row, "rebuilds": row["rebuilds"] + 1}
            case DatasetVerified() if row is not None:
                verified = {"intact": fact.intact, "damaged": list(fact.damaged), "verified_at": moment}
                rows[self.table, key] = {**row, **verified}
            case _:
                pass


async def datasets(views: ViewReader, dataset_id: str | None = None) -> list[dict[str, Any]]:
    """Training sets, newest first; one of them where named."""
    table = DatasetCatalogue.table
    wanted = select(table).order_by(table.c.position.desc()).limit(500)
    if dataset_id:
        wanted = wanted.where(table.c.dataset_id == dataset_id)
    return [dict(row) for row in await views.rows(DatasetCatalogue, wanted)]
