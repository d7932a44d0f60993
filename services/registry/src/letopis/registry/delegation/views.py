"""What is lent now, to whom and by whom."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.delegation.events import FACTS, DelegationGiven


class Delegations(View):
    """One row a lent role, gone when it is given back; whoever reads looks at the day."""

    name = "delegations"
    version = 1
    metadata = MetaData()
    table = Table(
        "delegations",
        metadata,
        Column("delegation_id", Text, primary_key=True),
        Column("login", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("by_login", Text, nullable=False),
        Column("by_person", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("until", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.delegation_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, place = told.fact, (self.table, (told.fact.delegation_id,))
        if not isinstance(fact, DelegationGiven):
            del rows[place]
            return
        rows[place] = {
            "delegation_id": fact.delegation_id,
            "login": fact.login,
            "person": fact.person,
            "by_login": fact.by_login,
            "by_person": fact.by_person,
            "role": fact.role,
            "until": fact.until.isoformat(),
            "reason": fact.reason,
        }


async def in_force(views: ViewReader, today: date) -> list[dict[str, Any]]:
    """What is lent today, by the day it ends."""
    table = Delegations.table
    wanted = select(table).where(table.c.until >= today.isoformat()).order_by(table.c.until, table.c.delegation_id)
    return [dict(row) for row in await views.rows(Delegations, wanted)]
