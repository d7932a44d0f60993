"""Bundles as people find them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.bundle.events import FACTS


class BundleCatalogue(View):
    """One row a version of a bundle."""

    name = "bundle_catalogue"
    version = 1
    metadata = MetaData()
    table = Table(
        "bundle",
        metadata,
        Column("bundle_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("entity", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("features", JSON, nullable=False),
        Column("owner", Text, nullable=False),
        Column("registered_at", Text, nullable=False),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.bundle_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        rows[self.table, (fact.bundle_id,)] = {
            "bundle_id": fact.bundle_id,
            "name": fact.name,
            "number": fact.number,
            "entity": fact.entity,
            "key": fact.key,
            "features": [
                {
                    "name": one.name,
                    "view_id": one.view_id,
                    "feature": one.feature,
                    "type": one.type,
                    "cls": one.cls,
                    "kind": one.kind,
                }
                for one in fact.features
            ],
            "owner": fact.owner,
            "registered_at": time_text(told.record.recorded_at),
        }


async def bundles(views: ViewReader, bundle_id: str | None = None) -> list[dict[str, Any]]:
    """Versions of bundles, newest first of each; one of them where named."""
    table = BundleCatalogue.table
    wanted = select(table).order_by(table.c.name, table.c.number.desc())
    if bundle_id:
        wanted = wanted.where(table.c.bundle_id == bundle_id)
    return [dict(row) for row in await views.rows(BundleCatalogue, wanted)]
