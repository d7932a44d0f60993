"""Applications by name: the version that answers, and what stands in its way."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.inference.contract import CONTRACT, Deployed, LoadFailed, Replaced, Retired


class Applications(View):
    """One row an application's API version that answers; retired ones are gone from here, not from the chronicle."""

    name = "applications"
    version = 1
    metadata = MetaData()
    table = Table(
        "applications",
        metadata,
        Column("deployment_id", Text, primary_key=True),
        Column("application", Text, nullable=False),
        Column("api_version", Text, nullable=False),
        Column("model_id", Text, nullable=False, index=True),
        Column("version_id", Text, nullable=False),
        Column("since", Text, nullable=False),
        Column("trouble", Text, nullable=False),
    )
    sources = {"inference": CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        if isinstance(told.fact, Deployed | Replaced | LoadFailed | Retired):
            return [(self.table, (told.fact.deployment_id,))]
        return []

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        match fact:
            case Deployed() | Replaced():
                rows[self.table, (fact.deployment_id,)] = {
                    "deployment_id": fact.deployment_id,
                    "application": fact.application,
                    "api_version": fact.api_version,
                    "model_id": fact.model_id,
                    "version_id": fact.version_id,
                    "since": time_text(fact.at),
                    "trouble": "",
                }
            case LoadFailed():
                row = rows[self.table, (fact.deployment_id,)]
                if row is not None:
                    trouble = f"{fact.version_id} could not be loaded: {fact.detail}"
                    rows[self.table, (fact.deployment_id,)] = {**row, "trouble": trouble}
            case Retired():
                del rows[self.table, (fact.deployment_id,)]
            case _:
                pass


async def applications(views: ViewReader, *, model_id: str | None = None) -> list[dict[str, Any]]:
    """What answers, by name; of one model where given."""
    table = Applications.table
    wanted = select(table).order_by(table.c.application, table.c.api_version)
    if model_id is not None:
        wanted = wanted.where(table.c.model_id == model_id)
    return [dict(row) for row in await views.rows(Applications, wanted)]
