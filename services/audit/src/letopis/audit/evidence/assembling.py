"""Gathers what a pack holds: whole ledgers for the report, and the facts asked for with all that explains them."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from letopis.audit.evidence import pack
from letopis.audit.evidence.page import verify_html
from letopis.audit.evidence.program import verify_pyz
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.note import Checkpoint, Signer, open_note
from letopis.audit.log.sealed import SealedLog
from letopis.audit.report.issuing import Issuing, Report
from letopis.audit.report.scoping import Scoping, chosen
from letopis.audit.report.shelf import Shelf
from letopis.common.envelope import Record
from letopis.common.errors import NotFound

PAGE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Every fact of these ledgers that was recorded on these days (UTC)."""

    ledgers: Sequence[str]
    first_day: date
    last_day: date

    def told(self) -> dict[str, Any]:
        return {"ledgers": sorted(self.ledgers), **self.days()}

    def days(self) -> dict[str, str]:
        return {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a pack is about, and heads kept by the reader, by ledger."""

    model_id: str = ""
    version_id: str = ""
    promotion_id: str = ""
    decision_id: str = ""
    report_id: str = ""
    events: Sequence[str] = ()
    period: Period | None = None
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(value for name, value in self.told().items() if name != "kept")

    def told(self) -> dict[str, Any]:
        """As the manifest tells it."""
        named = ("model_id", "version_id", "promotion_id", "decision_id", "report_id")
        period = self.period.told() if self.period else None
        return {**{name: getattr(self, name) for name in named}, "events": list(self.events), "period": period}

    @property
    def report(self) -> tuple[str, dict[str, str]]:
        """The report that a pack of this scope carries, and what it is about."""
        if self.decision_id:
            return "decision_file", {"decision_id": self.decision_id}
        return ("change_log", self.period.days()) if self.period else ("model_inventory", {})


class ScopeUnknown(NotFound):
    """The registry knows no version or promotion of this name."""

    code = "pack.scope_unknown"
    title = "No fact under a signed head speaks of this version or promotion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A report as it was issued: its pages and its envelope."""

    type: str
    asked: Mapping[str, str]
    positions: Mapping[str, int]
    pages: Mapping[str, bytes]
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A pack and what is recorded of it."""

    data: bytes
    report: Report
    positions: dict[str, int]
    excerpts: dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembler:
    """Reads the copies, proves every fact under signed heads, and writes the pack."""

    copies: CopyStore
    log: SealedLog
    signer: Signer
    shelf: Shelf
    ledgers: Sequence[str]

    async def assemble(self, pack_id: str, created_at: str, scope: Scope, issued: Issued | None = None) -> Assembled:
        """The pack of a scope; with an issued report, of that one at its positions.

        FactUnknown, ScopeUnknown, NotSealedYet, or NotAsSealed if a copy was changed.
        """
        type_, asked = (issued.type, issued.asked) if issued else scope.report
        issuing = Issuing(copies=self.copies, log=self.log, ledgers=self.ledgers)
        # A ledger that the issued report did not speak of stays out of it.
        positions = {**dict.fromkeys(self.ledgers, 0), **issued.positions} if issued else None
        report = await issuing.make(self.shelf.definition(type_), asked, positions)
        whole = {ledger: await self._whole(ledger, report) for ledger in report.definition.ledgers}
        rows, ranges = await self._rows(scope, report)
        excerpts = {
            ledger: await self._excerpt(ledger, rows.get(ledger, ()), report, scope.kept.get(ledger, ()))
            for ledger in sorted({*rows, *report.positions} - whole.keys())
        }
        parts = {**whole, **excerpts}
        file = pack.ReportFile(
            type=type_,
            definition=self.shelf.sources[type_],
            document=report.document,
            table=report.table,
            asked=report.asked,
            whole=report.definition.ledgers,
            heads=list(report.positions),
            excerpts={ledger: list(one) for ledger, one in report.excerpts.items()},
            pages=issued.pages if issued else {},
            envelope=issued.envelope if issued else b"",
        )
        data = await asyncio.to_thread(
            lambda: pack.build(
                pack_id=pack_id,
                created_at=created_at,
                scope=scope.told(),
                whole=whole,
                excerpts=excerpts,
                report=file,
                verifier=verify_pyz(),
                signer=self.signer,
                keys=[self.log.signer(ledger) for ledger in sorted(parts)],
                ranges=ranges,
                page=verify_html(),
            )
        )
        return Assembled(
            data=data,
            report=report,
            positions={ledger: part.head.size for ledger, part in parts.items()},
            excerpts={ledger: [one.position for one in part.records] for ledger, part in excerpts.items()},
        )

    async def _rows(self, scope: Scope, report: Report) -> tuple[dict[str, list[Record]], dict[str, tuple[int, int]]]:
        """Facts of ledgers that the pack does not hold whole, and the stretches among them without a gap."""
        scoping = Scoping(copies=self.copies, log=self.log)
        found = await scoping.events(scope.events)
        found += [one for rows in report.excerpts.values() for one in rows.values()]
        versions, models = await self._named(scope, report)
        if versions or models:
            found += await scoping.training_data(models, versions)
            found += await scoping.watching(models, versions)
        sizes = {ledger: await asyncio.to_thread(self.log.size, ledger) for ledger in self.ledgers} | {
            **report.positions
        }
        ranges: dict[str, tuple[int, int]] = {}
        period = scope.period
        if period is not None:
            for ledger in period.ledgers:
                rows = await scoping.period(ledger, period.first_day, period.last_day, sizes.get(ledger, 0))
                if rows and ledger not in report.definition.ledgers:
                    ranges[ledger] = (rows[0].position, rows[-1].position)
                found += rows
        whole = set(report.definition.ledgers)
        told = chosen(found, sizes)
        return {ledger: list(rows.values()) for ledger, rows in told.items() if ledger not in whole}, ranges

    async def _named(self, scope: Scope, report: Report) -> tuple[set[str], set[str]]:
        """The versions and models that the scope speaks of; ScopeUnknown if the registry does not know them."""
        versions, models = {scope.version_id} - {""}, {scope.model_id} - {""}
        if not (scope.version_id or scope.promotion_id):
            return versions, models
        types = ["registry.version.registered", "registry.promotion.requested"]
        known = set()
        for record in await self.copies.of_types("registry", types, report.positions["registry"]):
            fact = json.loads(record.data)
            if scope.promotion_id and fact.get("promotion_id") == scope.promotion_id:
                known.add("promotion")
                versions.add(fact["version_id"])
            if scope.version_id == fact["version_id"]:
                known.add("version")
        if ("promotion" not in known and scope.promotion_id) or ("version" not in known and scope.version_id):
            raise ScopeUnknown
        return versions, models

    async def _whole(self, ledger: str, report: Report) -> pack.Part:
        """Every fact of a ledger up to the report's position, under the checkpoint of that size."""
        size = report.positions[ledger]
        records: list[Record] = []
        while len(records) < size:
            records += await self.copies.read(ledger, len(records), min(PAGE, size - len(records)))
        part = pack.Part(head=self._head(ledger, report), note="", records=records)
        return await asyncio.to_thread(self._signed, part, ledger)

    def _head(self, ledger: str, report: Report) -> Checkpoint:
        """The head that the report speaks of, else the newest."""
        if ledger not in report.positions:
            return self.log.head(ledger)
        return Checkpoint(self.log.signer(ledger).name, report.positions[ledger], bytes.fromhex(report.roots[ledger]))

    async def _excerpt(self, ledger: str, records: Iterable[Record], report: Report, kept: Sequence[int]) -> pack.Part:
        ordered = sorted(records, key=lambda one: one.position)

        def proved() -> pack.Part:
            head = self._head(ledger, report)
            part = pack.Part(
                head=head,
                note="",
                records=ordered,
                proofs=[self.log.prove(record, head) for record in ordered],
                consistency={old: self.log.consistency(ledger, old, head.size) for old in kept},
            )
            return self._signed(part, ledger)

        return await asyncio.to_thread(proved)

    def _signed(self, part: pack.Part, ledger: str) -> pack.Part:
        """The part with its head signed, and the last head that witnesses signed, a little before or after it."""
        part = replace(part, note=self.log.signed(ledger, part.head))
        try:
            note = self.log.witnessed(ledger)
        except NotFound:
            return part
        seen = Checkpoint.parse(open_note(note, [self.log.signer(ledger).verifier()]))
        old, new = sorted((seen.size, part.head.size))
        return replace(part, witnessed=note, between=self.log.consistency(ledger, old, new))
