"""Making a report: the facts of whole ledgers up to signed positions, through the report's pure code."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from letopis.audit.log.copy import CopyStore
from letopis.audit.log.merkle import EMPTY_ROOT
from letopis.audit.log.sealed import SealedLog
from letopis.audit.report import inventory
from letopis.audit.report.decider import IssueReport, report_id
from letopis.common.envelope import record_to_json
from letopis.common.errors import LedgerHole


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report's bytes, and what they are a function of."""

    report_id: str
    positions: Mapping[str, int]
    roots: Mapping[str, str]
    document: bytes
    table: bytes

    def issued(self, by: str) -> IssueReport:
        """The command that records it."""
        return IssueReport(
            report_id=self.report_id,
            type=inventory.TYPE,
            schema_version=inventory.SCHEMA_VERSION,
            positions=self.positions,
            roots=self.roots,
            generator_sha256=inventory.generator(),
            sha256=sha256(self.document).hexdigest(),
            csv_sha256=sha256(self.table).hexdigest(),
            bytes=len(self.document),
            rows=json.loads(self.document)["rows"],
            by=by,
        )


async def model_inventory(copies: CopyStore, log: SealedLog, positions: Mapping[str, int] | None = None) -> Report:
    """The model inventory at these positions, or at the newest signed ones.

    NotSealedYet beyond a signed head; LedgerHole if the copy is not whole up to there.
    """
    reached, roots, facts = {}, {}, {}
    for ledger in inventory.LEDGERS:
        head = await asyncio.to_thread(log.head, ledger)
        reached[ledger] = size = head.size if positions is None else positions.get(ledger, head.size)
        root = await asyncio.to_thread(log.root, ledger, size) if size else EMPTY_ROOT
        roots[ledger] = root.hex()
        if (held := await copies.count(ledger, size)) != size:
            raise LedgerHole(f"the copy of {ledger} holds {held} of {size} facts", ledger=ledger)
        facts[ledger] = [record_to_json(one) for one in await copies.of_types(ledger, inventory.TYPES, size)]
    heads = {ledger: {"position": reached[ledger], "root": roots[ledger]} for ledger in reached}
    document = await asyncio.to_thread(inventory.build, facts, heads)
    return Report(
        report_id=report_id(inventory.TYPE, reached, inventory.generator()),
        positions=reached,
        roots=roots,
        document=document,
        table=inventory.table(document),
    )
