"""A pack of all that the claims were held against: every ledger whole, and the document that a verifier remakes."""

import asyncio
from dataclasses import dataclass

from letopis.audit.claim import document
from letopis.audit.evidence import pack
from letopis.audit.evidence.page import verify_html
from letopis.audit.evidence.program import verify_pyz
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.note import Checkpoint, Signer
from letopis.audit.log.sealed import SealedLog
from letopis.common.envelope import Record, record_to_json
from letopis.common.errors import Refused

PAGE = 10_000
MOST = 400_000


class TooManyFacts(Refused):
    """The pack would pass what one file holds well."""

    code = "claim.too_many_facts"
    title = (
        "The ledgers hold more facts than one pack takes; `letopis claims` makes the evaluation again from the owners"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A pack and what is recorded of it."""

    data: bytes
    positions: dict[str, int]
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """Reads the copies whole up to the newest signed heads."""

    copies: CopyStore
    log: SealedLog
    signer: Signer

    async def packed(self, pack_id: str, created_at: str) -> Packed:
        """TooManyFacts, or LedgerHole if a copy is not whole."""
        sizes = {ledger: await asyncio.to_thread(self.log.size, ledger) for ledger in document.LEDGERS}
        sizes = {ledger: size for ledger, size in sizes.items() if size}
        if sum(sizes.values()) > MOST:
            raise TooManyFacts
        parts = {ledger: await self._whole(ledger, size) for ledger, size in sizes.items()}
        return await asyncio.to_thread(self._packed, pack_id, created_at, parts)

    async def _whole(self, ledger: str, size: int) -> pack.Part:
        records: list[Record] = []
        while len(records) < size:
            records += await self.copies.read(ledger, len(records), min(PAGE, size - len(records)))
        root = await asyncio.to_thread(self.log.root, ledger, size)
        head = Checkpoint(self.log.signer(ledger).name, size, root)
        return pack.Part(head=head, note=self.log.signed(ledger, head), records=records)

    def _packed(self, pack_id: str, created_at: str, parts: dict[str, pack.Part]) -> Packed:
        heads = {name: {"position": part.head.size, "root": part.head.root.hex()} for name, part in parts.items()}
        facts = {name: [record_to_json(one) for one in part.records] for name, part in parts.items()}
        made = document.build(facts, heads)
        file = pack.ReportFile(
            type=document.TYPE,
            definition=document.DEFINITION,
            document=made,
            table=document.table(made),
            asked={},
            whole=list(parts),
            heads=list(parts),
        )
        data = pack.build(
            pack_id=pack_id,
            created_at=created_at,
            scope={"claims": "all"},
            whole=parts,
            excerpts={},
            report=file,
            verifier=verify_pyz(),
            signer=self.signer,
            keys=[self.log.signer(ledger) for ledger in sorted(parts)],
            page=verify_html(),
        )
        return Packed(data=data, positions={name: part.head.size for name, part in parts.items()}, document=made)
