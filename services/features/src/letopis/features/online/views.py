"""How much is read online: by consumer, bundle and purpose."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.online.events import FACTS, LeaseGranted, OnlineReadsCounted

_COUNTS = ("requests", "entities", "present", "stale", "missing", "masked")


class OnlineUse(View):
    """One row a consumer, bundle and purpose."""

    name = "online_use"
    version = 1
    metadata = MetaData()
    table = Table(
        "online_use",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("bundle_id", Text, primary_key=True),
        Column("purpose", Text, primary_key=True),
        Column("leases", BigInteger, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in _COUNTS),
        Column("last_at", Text, nullable=False),
    )
    sources = {"access": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        fact = told.fact
        if isinstance(fact, LeaseGranted | OnlineReadsCounted):
            yield self.table, (fact.consumer, fact.bundle_id, fact.purpose)

    def project(self, rows: Rows, told: Told) -> None:
        fact = told.fact
        if not isinstance(fact, LeaseGranted | OnlineReadsCounted):
            return
        place = self.table, (fact.consumer, fact.bundle_id, fact.purpose)
        names = {"consumer": fact.consumer, "bundle_id": fact.bundle_id, "purpose": fact.purpose}
        row = rows[place] or {**names, "leases": 0, **dict.fromkeys(_COUNTS, 0)}
        if isinstance(fact, LeaseGranted):
            added = {"leases": row["leases"] + 1}
        else:
            added = {name: row[name] + getattr(fact, name) for name in _COUNTS}
        rows[place] = {**row, **added, "last_at": time_text(told.record.recorded_at)}


async def online_use(views: ViewReader) -> list[dict[str, Any]]:
    """Everybody who reads online."""
    table = OnlineUse.table
    wanted = select(table).order_by(table.c.consumer, table.c.bundle_id)
    return [dict(row) for row in await views.rows(OnlineUse, wanted)]
