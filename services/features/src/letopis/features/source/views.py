"""Sources and their dictionaries as people look them up."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Float, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.source.classes import UNCLASSIFIED
from letopis.features.source.events import (
    FACTS,
    ClassesConfirmed,
    ClassesProposed,
    ExtractRecorded,
    SourceRegistered,
)


class SourceCatalogue(View):
    """One row a source, one a column of it."""

    name = "source_catalogue"
    version = 1
    metadata = MetaData()
    source = Table(
        "source",
        metadata,
        Column("source_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("zone", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("licence", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("registered_at", Text, nullable=False),
        Column("extract_id", Text),
        Column("snapshot_id", Text),
        Column("rows", BigInteger),
        Column("job", Text),
        Column("extracted_at", Text),
        Column("extracted_by", Text),
        Column("files", JSON),
    )
    column = Table(
        "source_column",
        metadata,
        Column("source_id", Text, primary_key=True),
        Column("column_name", Text, primary_key=True),
        Column("type", Text, nullable=False),
        Column("cls", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("confirmed_by", Text),
        Column("confirmed_at", Text),
        Column("proposed_cls", Text),
        Column("proposed_kind", Text),
        Column("proposed_share", Float),
        Column("proposed_by", Text),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        fact = told.fact
        yield self.source, (fact.source_id,)
        for name in _columns(fact):
            yield self.column, (fact.source_id, name)

    def project(self, rows: Rows, told: Told) -> None:
        fact, moment = told.fact, time_text(told.record.recorded_at)
        place = self.source, (fact.source_id,)
        if isinstance(fact, SourceRegistered):
            rows[place] = {
                "source_id": fact.source_id,
                "name": fact.name,
                "zone": fact.zone,
                "description": fact.description,
                "owner": fact.owner,
                "licence": fact.licence,
                "purpose": fact.purpose,
                "registered_at": moment,
            }
        elif isinstance(fact, ExtractRecorded) and (row := rows[place]) is not None:
            rows[place] = {
                **row,
                "extract_id": fact.extract_id,
                "snapshot_id": fact.snapshot_id,
                "rows": fact.rows,
                "job": fact.job,
                "extracted_at": moment,
                "extracted_by": fact.recorded_by,
                "files": [{"path": one.path, "sha256": one.sha256, "rows": one.rows} for one in fact.files],
            }
        for name, change in _changes(fact, moment).items():
            at = self.column, (fact.source_id, name)
            before = rows[at] or {
                "source_id": fact.source_id,
                "column_name": name,
                "type": "",
                "cls": UNCLASSIFIED,
                "kind": "",
            }
            rows[at] = {**before, **change}


def _columns(fact: Any) -> list[str]:
    return list(_changes(fact, ""))


def _changes(fact: Any, moment: str) -> dict[str, dict[str, Any]]:
    """By column, what a fact says of it."""
    match fact:
        case ExtractRecorded():
            return {one.name: {"type": one.type} for one in fact.columns}
        case ClassesProposed():
            return {
                one.column: {
                    "proposed_cls": one.cls,
                    "proposed_kind": one.kind,
                    "proposed_share": one.share,
                    "proposed_by": one.by,
                }
                for one in fact.proposals
            }
        case ClassesConfirmed():
            confirmed = {"confirmed_by": fact.confirmed_by, "confirmed_at": moment}
            changes: dict[str, dict[str, Any]] = {}
            for name, cls in fact.classes.items():
                changes.setdefault(name, dict(confirmed))["cls"] = cls
            for name, kind in fact.kinds.items():
                changes.setdefault(name, dict(confirmed))["kind"] = kind
            return changes
        case _:
            return {}


async def sources(views: ViewReader) -> list[dict[str, Any]]:
    """All sources by id."""
    table = SourceCatalogue.source
    return [dict(row) for row in await views.rows(SourceCatalogue, select(table).order_by(table.c.source_id))]


async def source(views: ViewReader, source_id: str) -> dict[str, Any] | None:
    """One source with its columns, or None."""
    table, column = SourceCatalogue.source, SourceCatalogue.column
    found = await views.rows(SourceCatalogue, select(table).where(table.c.source_id == source_id))
    if not found:
        return None
    wanted = select(column).where(column.c.source_id == source_id).order_by(column.c.column_name)
    return {**found[0], "columns": [dict(row) for row in await views.rows(SourceCatalogue, wanted)]}
