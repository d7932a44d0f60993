"""Grants as security officers and their holders see them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Boolean, Column, MetaData, Table, Text, or_, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.features.grant.events import FACTS, GrantIssued


class GrantList(View):
    """One row a grant."""

    name = "grant_list"
    version = 1
    metadata = MetaData()
    table = Table(
        "grant_list",
        metadata,
        Column("grant_id", Text, primary_key=True),
        Column("grantee", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("project", Text, nullable=False),
        Column("columns", JSON, nullable=False),
        Column("unmask", Boolean, nullable=False),
        Column("not_after", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("issued_by", Text, nullable=False),
        Column("issued_at", Text, nullable=False),
        Column("revoked_by", Text),
        Column("revoked_at", Text),
    )
    sources = {"features": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.grant_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key, moment = told.fact, (told.fact.grant_id,), time_text(told.record.recorded_at)
        if isinstance(fact, GrantIssued):
            rows[self.table, key] = {
                "grant_id": fact.grant_id,
                "grantee": fact.grantee,
                "purpose": fact.purpose,
                "project": fact.project,
                "columns": {source: list(columns) for source, columns in fact.columns.items()},
                "unmask": fact.unmask,
                "not_after": time_text(fact.not_after),
                "reason": fact.reason,
                "issued_by": fact.issued_by,
                "issued_at": moment,
            }
            return
        row = rows[self.table, key]
        if row is not None:
            rows[self.table, key] = {**row, "revoked_by": fact.revoked_by, "revoked_at": moment}


async def grants(views: ViewReader, grantee: str | None = None) -> list[dict[str, Any]]:
    """Grants, newest first, of one grantee where named."""
    table = GrantList.table
    wanted = select(table).order_by(table.c.issued_at.desc(), table.c.grant_id).limit(500)
    if grantee:
        wanted = wanted.where(table.c.grantee == grantee)
    return [dict(row) for row in await views.rows(GrantList, wanted)]


async def candidates(views: ViewReader, person: str, groups: Iterable[str], purpose: str) -> list[str]:
    """Ids of grants that may fit a person and purpose; the decision looks at each grant's own facts."""
    table = GrantList.table
    holders = [person, *(f"group:{group}" for group in groups)]
    wanted = (
        select(table.c.grant_id)
        .where(or_(*(table.c.grantee == one for one in holders)), table.c.purpose == purpose)
        .order_by(table.c.grant_id)
        .limit(100)
    )
    return [row["grant_id"] for row in await views.rows(GrantList, wanted)]
