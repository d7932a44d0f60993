"""Issued reports as they are handed out: the fact, its envelope, the bytes in every form."""

import asyncio
from dataclasses import replace
from typing import Any

from letopis.audit.report.decider import REPORT, ReportUnknown
from letopis.audit.report.envelope import envelope
from letopis.audit.report.events import ReportIssued
from letopis.audit.report.issuing import Report
from letopis.audit.report.typeset import pdfs


async def kept(objects: Any, report: Report) -> Report:
    """The report with its pages, all its bytes in the object store.

    The bytes are kept before the fact that names them; without the fact nobody can ask for them.
    """
    pages = await asyncio.to_thread(pdfs, report.document)
    for one in (report.document, report.table, *pages.values()):
        await asyncio.to_thread(objects.put, one)
    return replace(report, pdfs=pages)


async def issued_report(resources: Any, report_id: str) -> tuple[ReportIssued, bytes]:
    """The last issue of a report and its signed envelope; ReportUnknown."""
    records = await resources.store.load("audit", REPORT.stream(report_id))
    issues = [one for one in records if one.type == "audit.report.issued"]
    if not issues:
        raise ReportUnknown
    record = issues[-1]
    fact = REPORT.facts.decode(record.type, record.schema_version, record.data)
    known = resources.shelf.definitions.get(fact.type)
    redaction = known.redaction if known else {}
    return fact, envelope(record, fact, redaction, resources.signer)
