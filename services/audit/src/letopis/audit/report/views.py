"""Reports that were issued, as auditors list them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text, select

from letopis.audit.report.events import FACTS, ReportIssued
from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader


class IssuedReport(View):
    """One row a report: of what it is a function, its bytes' digest, and when it was issued."""

    name = "issued_report"
    version = 2
    metadata = MetaData()
    table = Table(
        "issued_report",
        metadata,
        Column("report_id", Text, primary_key=True),
        Column("type", Text, nullable=False),
        Column("schema_version", Integer, nullable=False),
        Column("scope", JSON, nullable=False),
        Column("positions", JSON, nullable=False),
        Column("roots", JSON, nullable=False),
        Column("generator_sha256", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("csv_sha256", Text, nullable=False),
        Column("languages", JSON, nullable=False),
        Column("checks", JSON, nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("by", Text, nullable=False),
        Column("issued_at", Text, nullable=False),
        Column("times_issued", Integer, nullable=False),
        Column("times_read", Integer, nullable=False),
    )
    sources = {"audit": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.report_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.report_id,)
        row = rows[self.table, key]
        if isinstance(fact, ReportIssued):
            rows[self.table, key] = {
                **{name: getattr(fact, name) for name in _TOLD},
                "languages": sorted(fact.pdf_sha256),
                "issued_at": row["issued_at"] if row else time_text(told.record.recorded_at),
                "times_issued": (row["times_issued"] if row else 0) + 1,
                "times_read": row["times_read"] if row else 0,
            }
        elif row is not None:
            rows[self.table, key] = {**row, "times_read": row["times_read"] + 1}


_TOLD = (
    *(
        "report_id",
        "type",
        "schema_version",
        "scope",
        "checks",
        "positions",
        "roots",
        "generator_sha256",
        "sha256",
        "csv_sha256",
    ),
    *("bytes", "rows", "by"),
)


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """Every issued report, newest first."""
    table = IssuedReport.table
    rows = await views.rows(IssuedReport, select(table).order_by(table.c.issued_at.desc(), table.c.report_id))
    return [dict(row) for row in rows]
