"""Monitors as they stand, and the registered versions that can be watched."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.common.serialization import Catalogue, plain
from letopis.monitoring.monitor.events import (
    FACTS,
    MonitorDefined,
    MonitorRetired,
    Thresholds,
    ThresholdsChanged,
)
from letopis.registry.contract import VersionRegistered

_DEFINED = FACTS.entries[0][:2]


class Monitors(View):
    """One row a monitor. `definition` holds the exact bytes of the defining fact, which has the bins."""

    name = "monitors"
    version = 1
    metadata = MetaData()
    table = Table(
        "monitors",
        metadata,
        Column("monitor_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("dataset_id", Text, nullable=False),
        Column("read", Text, nullable=False),
        Column("window_seconds", Integer),
        Column("features", JSON, nullable=False),
        Column("thresholds", JSON, nullable=False),
        Column("state", Text, nullable=False),
        Column("defined_by", Text, nullable=False),
        Column("defined_at", DateTime(timezone=True), nullable=False),
        Column("definition", LargeBinary, nullable=False),
    )
    sources = {"monitoring": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.monitor_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        key = (told.fact.monitor_id,)
        row = rows[self.table, key]
        match told.fact:
            case MonitorDefined() as fact:
                rows[self.table, key] = {
                    "monitor_id": fact.monitor_id,
                    "model_id": fact.model_id,
                    "version_id": fact.version_id,
                    "dataset_id": fact.dataset_id,
                    "read": fact.read,
                    "window_seconds": fact.window_seconds,
                    "features": [{"name": one.feature, "kind": one.kind} for one in fact.features],
                    "thresholds": plain(fact.thresholds),
                    "state": "watching",
                    "defined_by": fact.by,
                    "defined_at": fact.at,
                    "definition": told.record.data,
                }
            case ThresholdsChanged() as fact if row is not None:
                rows[self.table, key] = {**row, "thresholds": plain(fact.thresholds)}
            case MonitorRetired() if row is not None:
                rows[self.table, key] = {**row, "state": "retired"}


class Versions(View):
    """One row a registered version: what its signature takes, and which data it was trained on."""

    name = "versions"
    version = 1
    metadata = MetaData()
    table = Table(
        "versions",
        metadata,
        Column("version_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("inputs", JSON, nullable=False),
        Column("datasets", JSON, nullable=False),
    )
    sources = {"registry": Catalogue([("registry.version.registered", 1, VersionRegistered)])}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.version_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        signature = fact.manifest.get("signature") or {}
        reference = (fact.manifest.get("reference") or {}).get("dataset_id")
        datasets = ([reference] if reference else []) + list(fact.manifest.get("training_data") or [])
        rows[self.table, (fact.version_id,)] = {
            "version_id": fact.version_id,
            "model_id": fact.model_id,
            "digest": fact.digest,
            "inputs": [one["name"] for one in signature.get("inputs", [])],
            "datasets": list(dict.fromkeys(datasets)),
        }


def definition(row: Any) -> MonitorDefined:
    """The defining fact of a row, with the thresholds in force now."""
    name, version = _DEFINED
    fact: MonitorDefined = FACTS.decode(name, version, bytes(row["definition"]))
    return replace(fact, thresholds=Thresholds(**row["thresholds"]))


async def watching(views: ViewReader) -> list[MonitorDefined]:
    """All monitors that are not retired, by id."""
    table = Monitors.table
    query = select(table).where(table.c.state == "watching").order_by(table.c.monitor_id)
    return [definition(row) for row in await views.rows(Monitors, query)]


async def monitors(views: ViewReader, monitor_id: str | None = None) -> Sequence[Any]:
    """Rows of monitors, all or one."""
    query = select(Monitors.table).order_by(Monitors.table.c.monitor_id)
    if monitor_id is not None:
        query = query.where(Monitors.table.c.monitor_id == monitor_id)
    return await views.rows(Monitors, query)


async def registered(views: ViewReader, version_id: str) -> dict[str, Any] | None:
    """A registered version, or None."""
    table = Versions.table
    found = await views.rows(Versions, select(table).where(table.c.version_id == version_id))
    return dict(found[0]) if found else None
