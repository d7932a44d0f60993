"""Making a report: facts of whole ledgers up to signed positions, and those its scope names, through its definition."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from letopis.audit.log.copy import CopyStore
from letopis.audit.log.merkle import EMPTY_ROOT
from letopis.audit.log.sealed import SealedLog
from letopis.audit.report import document
from letopis.audit.report.decider import IssueReport, report_id
from letopis.audit.report.definition import Definition
from letopis.audit.report.scoping import Chosen, Scoping, chosen
from letopis.common.envelope import Record, record_to_json
from letopis.common.errors import Invalid, LedgerHole


class ScopeWrong(Invalid):
    """The report is about something, and about nothing else."""

    code = "report.scope_wrong"
    title = "Give exactly what the report is about; GET /v1/report-types tells"


PERIOD = ("first_day", "last_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report's bytes, and what they are a function of."""

    definition: Definition
    report_id: str
    asked: Mapping[str, str]
    positions: Mapping[str, int]
    roots: Mapping[str, str]
    excerpts: Chosen
    document: bytes
    table: bytes
    pdfs: Mapping[str, bytes] = field(default_factory=dict)

    def issued(self, by: str) -> IssueReport:
        """The command that records it."""
        told = json.loads(self.document)
        return IssueReport(
            report_id=self.report_id,
            type=self.definition.type,
            schema_version=self.definition.schema_version,
            scope=self.asked,
            positions=self.positions,
            roots=self.roots,
            definition_sha256=self.definition.sha256,
            generator_sha256=document.generator(self.definition),
            sha256=sha256(self.document).hexdigest(),
            csv_sha256=sha256(self.table).hexdigest(),
            pdf_sha256={language: sha256(one).hexdigest() for language, one in self.pdfs.items()},
            bytes=len(self.document),
            rows=told["rows"],
            checks=told["summary"]["checks"],
            by=by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """Makes reports from the copies, under signed heads."""

    copies: CopyStore
    log: SealedLog
    ledgers: Sequence[str]

    async def make(
        self, definition: Definition, asked: Mapping[str, str], positions: Mapping[str, int] | None = None
    ) -> Report:
        """The report at these positions, or at the newest signed ones.

        ScopeWrong; NotSealedYet beyond a signed head; LedgerHole if a copy is not whole up to there.
        """
        wanted = set(definition.scope)
        if not wanted <= asked.keys() or not asked.keys() <= wanted | set(PERIOD):
            raise ScopeWrong(f"{definition.type} is about {', '.join(definition.scope) or 'no one thing'}")
        sizes, roots, facts = {}, {}, {}
        for ledger in self._read(definition):
            size = (positions or {}).get(ledger, await asyncio.to_thread(self.log.size, ledger))
            if ledger in definition.ledgers:
                await asyncio.to_thread(self.log.head, ledger)
            elif not size:
                continue
            sizes[ledger] = size
            root = await asyncio.to_thread(self.log.root, ledger, sizes[ledger]) if sizes[ledger] else EMPTY_ROOT
            roots[ledger] = root.hex()
        for ledger in definition.ledgers:
            facts[ledger] = await self._facts(ledger, definition, sizes[ledger])
        excerpts = chosen(await self._named(asked), sizes)
        excerpts = {ledger: rows for ledger, rows in excerpts.items() if ledger not in definition.ledgers}
        told = {ledger: _json(rows) for ledger, rows in facts.items()}
        told |= {ledger: _json(rows.values()) for ledger, rows in excerpts.items()}
        heads = {ledger: {"position": sizes[ledger], "root": roots[ledger]} for ledger in sizes}
        made = await asyncio.to_thread(document.build, definition, told, heads, asked)
        return Report(
            definition=definition,
            report_id=report_id(definition.type, asked, sizes, document.generator(definition)),
            asked=dict(asked),
            positions=sizes,
            roots=roots,
            excerpts=excerpts,
            document=made,
            table=document.table(made),
        )

    def _read(self, definition: Definition) -> list[str]:
        """The ledgers whose heads stand in the report."""
        return list(self.ledgers) if definition.all_heads else sorted({*definition.ledgers, *definition.excerpts})

    async def _facts(self, ledger: str, definition: Definition, size: int) -> list[Record]:
        if (held := await self.copies.count(ledger, size)) != size:
            raise LedgerHole(f"the copy of {ledger} holds {held} of {size} facts", ledger=ledger)
        return await self.copies.of_types(ledger, definition.types, size)

    async def _named(self, asked: Mapping[str, str]) -> list[Record]:
        scoping = Scoping(copies=self.copies, log=self.log)
        return await scoping.decision(asked["decision_id"]) if "decision_id" in asked else []


def _json(records: Iterable[Record]) -> list[dict[str, str]]:
    return [record_to_json(one) for one in records]
