"""Use cases as the register shows them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.use_case.events import FACTS, UseCaseProposed


class UseCases(View):
    """One row a use case."""

    name = "use_cases"
    version = 1
    metadata = MetaData()
    table = Table(
        "use_cases",
        metadata,
        Column("use_case_id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("goal", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("proposer", Text, nullable=False),
        Column("decision_domain", Text, nullable=False),
        Column("customer_reach", Text, nullable=False),
        Column("materiality", Text, nullable=False),
        Column("tier", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("decided_by", Text),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.use_case_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.use_case_id,)
        if isinstance(fact, UseCaseProposed):
            rows[self.table, key] = {
                "use_case_id": fact.use_case_id,
                "name": fact.name,
                "goal": fact.goal,
                "owner": fact.owner,
                "proposer": fact.proposer,
                "decision_domain": fact.decision_domain,
                "customer_reach": fact.customer_reach,
                "materiality": fact.materiality,
                "tier": fact.tier,
                "state": "proposed",
                "decided_by": None,
            }
            return
        row = rows[self.table, key]
        if row is not None:
            state = told.record.type.rpartition(".")[2]
            rows[self.table, key] = {**row, "state": state, "decided_by": fact.approver}


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """All use cases by id."""
    return [dict(row) for row in await views.rows(UseCases, select(UseCases.table).order_by("use_case_id"))]
