"""Feature views as people find them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.view.events import FACTS


class FeatureViewCatalogue(View):
    """One row a version of a view."""

    name = "feature_view_catalogue"
    version = 1
    metadata = MetaData()
    table = Table(
        "feature_view",
        metadata,
        Column("view_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("entity", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("event_time", Text, nullable=False),
        Column("known_time", Text),
        Column("ttl_seconds", BigInteger),
        Column("sql", Text, nullable=False),
        Column("sql_hash", Text, nullable=False),
        Column("reads", JSON, nullable=False),
        Column("features", JSON, nullable=False),
        Column("owner", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("registered_at", Text, nullable=False),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.view_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        rows[self.table, (fact.view_id,)] = {
            "view_id": fact.view_id,
            "name": fact.name,
            "number": fact.number,
            "entity": fact.entity,
            "key": fact.key,
            "event_time": fact.event_time,
            "known_time": fact.known_time,
            "ttl_seconds": fact.ttl_seconds,
            "sql": fact.sql,
            "sql_hash": fact.sql_hash,
            "reads": {source: list(columns) for source, columns in fact.reads.items()},
            "features": [
                {"name": one.name, "type": one.type, "cls": one.cls, "kind": one.kind, "lineage": list(one.lineage)}
                for one in fact.features
            ],
            "owner": fact.owner,
            "description": fact.description,
            "registered_at": time_text(told.record.recorded_at),
        }


async def feature_views(views: ViewReader, view_id: str | None = None) -> list[dict[str, Any]]:
    """Versions of views, newest first of each; one of them where named."""
    table = FeatureViewCatalogue.table
    wanted = select(table).order_by(table.c.name, table.c.number.desc())
    if view_id:
        wanted = wanted.where(table.c.view_id == view_id)
    return [dict(row) for row in await views.rows(FeatureViewCatalogue, wanted)]
