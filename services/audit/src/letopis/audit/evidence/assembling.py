"""Gathers what a pack holds: whole ledgers for the report, and the facts asked for with all that explains them."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from letopis.audit.evidence import pack
from letopis.audit.evidence.program import verify_pyz
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.note import Checkpoint, Signer, open_note
from letopis.audit.log.sealed import NotSealedYet, SealedLog
from letopis.audit.report import inventory
from letopis.audit.report.issuing import Report, model_inventory
from letopis.common.envelope import Record
from letopis.common.errors import NotFound

PAGE = 10_000


class FactUnknown(NotFound):
    """No ledger copied here holds a fact of this id."""

    code = "evidence.fact_unknown"
    title = "No such fact has been copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a pack is about: a model, a decision, single facts; and heads kept by the reader, by ledger."""

    model_id: str = ""
    decision_id: str = ""
    events: Sequence[str] = ()
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As the manifest tells it."""
        return {"model_id": self.model_id, "decision_id": self.decision_id, "events": list(self.events)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A pack and what is recorded of it."""

    data: bytes
    report: Report
    positions: dict[str, int]
    excerpts: dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembler:
    """Reads the copies, proves every fact under the newest signed heads, and writes the pack."""

    copies: CopyStore
    log: SealedLog
    signer: Signer

    async def assemble(self, pack_id: str, created_at: str, scope: Scope) -> Assembled:
        """The pack of a scope. FactUnknown, NotSealedYet, or NotAsSealed if a copy was changed."""
        report = await model_inventory(self.copies, self.log)
        whole = {ledger: await self._whole(ledger, report) for ledger in inventory.LEDGERS}
        chosen = await self._chosen(scope, whole)
        excerpts = {
            ledger: await self._excerpt(ledger, records, scope.kept.get(ledger, ()))
            for ledger, records in sorted(chosen.items())
        }
        parts = {**whole, **excerpts}
        file = pack.ReportFile(
            type=inventory.TYPE, document=report.document, table=report.table, ledgers=inventory.LEDGERS
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
            )
        )
        return Assembled(
            data=data,
            report=report,
            positions={ledger: part.head.size for ledger, part in parts.items()},
            excerpts={ledger: [one.position for one in part.records] for ledger, part in excerpts.items()},
        )

    async def _whole(self, ledger: str, report: Report) -> pack.Part:
        """Every fact of a ledger up to the report's position, under the checkpoint of that size."""
        size = report.positions[ledger]
        records: list[Record] = []
        while len(records) < size:
            records += await self.copies.read(ledger, len(records), min(PAGE, size - len(records)))
        head = Checkpoint(self.log.signer(ledger).name, size, bytes.fromhex(report.roots[ledger]))
        part = pack.Part(head=head, note=self.log.signed(ledger, head), records=records)
        return await asyncio.to_thread(self._with_witnesses, part, ledger)

    async def _excerpt(self, ledger: str, records: Iterable[Record], kept: Sequence[int]) -> pack.Part:
        ordered = sorted(records, key=lambda one: one.position)

        def proved() -> pack.Part:
            head = self.log.head(ledger)
            part = pack.Part(
                head=head,
                note=self.log.signed(ledger, head),
                records=ordered,
                proofs=[self.log.prove(record, head) for record in ordered],
                consistency={old: self.log.consistency(ledger, old, head.size) for old in kept},
            )
            return self._with_witnesses(part, ledger)

        return await asyncio.to_thread(proved)

    def _with_witnesses(self, part: pack.Part, ledger: str) -> pack.Part:
        """The part with the last head that witnesses signed, a little before or after its own."""
        try:
            note = self.log.witnessed(ledger)
        except NotFound:
            return part
        seen = Checkpoint.parse(open_note(note, [self.log.signer(ledger).verifier()]))
        old, new = sorted((seen.size, part.head.size))
        return replace(part, witnessed=note, between=self.log.consistency(ledger, old, new))

    async def _chosen(self, scope: Scope, whole: Mapping[str, pack.Part]) -> dict[str, list[Record]]:
        """Facts of ledgers that the pack does not hold whole: those asked for, their leases and training data."""
        found = [await self.find(one) for one in (*scope.events, *filter(None, [scope.decision_id]))]
        models = {scope.model_id} - {""}
        for record in list(found):
            lease = (json.loads(record.meta).get("authorization") or {}).get("lease")
            if lease:
                found.append(await self.find(lease))
            if record.type == "decisions.decision.made":
                models.add(json.loads(record.data)["model_id"])
        found += await self._training_data(models, whole["registry"].records)
        chosen: dict[str, dict[int, Record]] = {}
        for record in found:
            if record.ledger not in whole:
                chosen.setdefault(record.ledger, {})[record.position] = record
            elif record.position > whole[record.ledger].head.size:
                raise NotSealedYet(f"{record.ledger}/{record.position} is beyond the signed head")
        return {ledger: list(records.values()) for ledger, records in chosen.items()}

    async def _training_data(self, models: set[str], registry: Sequence[Record]) -> list[Record]:
        """How the data sets that a model's versions were trained on were built."""
        wanted: set[str] = set()
        for record in registry:
            if record.type == "registry.version.registered":
                fact = json.loads(record.data)
                if fact["model_id"] in models:
                    wanted |= set(fact["manifest"].get("training_data") or ())
        if not wanted:
            return []
        upto = await asyncio.to_thread(self.log.size, "features")
        built = await self.copies.of_types("features", ["features.dataset.built"], upto)
        return [one for one in built if json.loads(one.data)["dataset_id"] in wanted]

    async def find(self, event_id: str) -> Record:
        """The record of an event id; FactUnknown if there is none."""
        try:
            record = await self.copies.find(UUID(event_id))
        except ValueError:
            record = None
        if record is None:
            raise FactUnknown(f"no fact {event_id} has been copied")
        return record
