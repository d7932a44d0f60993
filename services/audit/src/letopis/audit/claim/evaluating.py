"""Holds every claim against the sealed facts, once a minute; what was read before is kept and not read again."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from letopis.audit.claim import document
from letopis.audit.claim.decider import EVALUATION, RecordEvaluation
from letopis.audit.claim.document import LEDGERS, Claims
from letopis.audit.claim.events import ClaimFound
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.sealed import SealedLog
from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta, Record, record_to_json
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.handling import Desk
from letopis.common.ids import uuid7
from letopis.common.objects import ObjectStore
from letopis.common.observability import Metrics

EVERY = 60.0
WINDOW = 20_000
_log = logging.getLogger(__name__)
_STATING = frozenset({document.STATED, document.WITHDRAWN})


@dataclass(slots=True)
class Held:
    """Claims with all that they were fed, ledger by ledger."""

    claims: Claims
    fed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEDGERS, 0))
    last: dict[str, str] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        return sorted({*self.claims.by_type, *_STATING, document.COMMITTED, document.REVEALED})


@dataclass(slots=True, kw_only=True)
class Evaluating:
    """Reads the copies of every ledger up to its signed head; a result speaks of sealed facts alone."""

    copies: CopyStore
    log: SealedLog
    objects: ObjectStore
    desk: Desk
    clock: Clock
    metrics: Metrics
    held: Held | None = None

    async def run(self) -> None:
        """For ever; while a copy has a hole or a part is away, the last result stands and grows old."""
        violated = self.metrics.gauge("audit_claims_violated", "Standing claims that are violated now", ())
        while True:
            try:
                found = json.loads(await self.step())
                violated.set(found["summary"]["violated"])
            except (Unavailable, LedgerHole) as away:
                _log.warning("standing claims cannot be evaluated now: %s", away.detail)
            await asyncio.sleep(EVERY)

    async def step(self) -> bytes:
        """Evaluate at the newest signed heads; the document. Recorded if it is news."""
        sizes = {ledger: await asyncio.to_thread(self.log.size, ledger) for ledger in LEDGERS}
        heads = {}
        for ledger, size in sizes.items():
            if size:
                root = await asyncio.to_thread(self.log.root, ledger, size)
                heads[ledger] = {"position": size, "root": root.hex()}
        held = await self._fed(sizes)
        made = await asyncio.to_thread(held.claims.document, heads, held.last)
        told = json.loads(made)
        now = self.clock.now()
        command = RecordEvaluation(
            evaluation_id=str(uuid7()),
            positions={ledger: sizes[ledger] for ledger in heads},
            roots={ledger: str(head["root"]) for ledger, head in heads.items()},
            generator_sha256=document.generator(),
            sha256=sha256(made).hexdigest(),
            bytes=len(made),
            claims=tuple(
                ClaimFound(
                    claim_id=one["id"],
                    verdict=one["verdict"],
                    checked=one["checked"],
                    open=one["open"],
                    violations=one["violations"],
                )
                for one in told["claims"]
            ),
            at=now,
        )
        # The bytes are kept before the fact that names them.
        await asyncio.to_thread(self.objects.put, made)
        await self.desk.handle(EVALUATION, f"{now:%Y-%m-%d}", command, Meta(actor=Actor(service="audit")))
        return made

    async def _fed(self, sizes: dict[str, int]) -> Held:
        """What is held, after the facts up to these sizes; begun again when another claim stands."""
        while True:
            if self.held is None:
                stating = await self.copies.of_types("audit", _STATING, sizes["audit"])
                self.held = Held(Claims(document.stated(map(record_to_json, stating))))
                self.held.fed["audit"] = 0
                first = True
            else:
                first = False
            if await self._advance(self.held, sizes, first=first):
                return self.held
            self.held = None

    async def _advance(self, held: Held, sizes: dict[str, int], *, first: bool) -> bool:
        for ledger, size in sizes.items():
            while (after := held.fed[ledger]) < size:
                upto = min(size, after + WINDOW)
                span = "position > %s AND position <= %s"
                if await self._count(ledger, after, upto) != upto - after:
                    raise LedgerHole(f"the copy of {ledger} has a hole between {after} and {upto}", ledger=ledger)
                records = await self.copies.select(f"type = ANY(%s) AND {span}", ledger, held.types, after, upto)
                if not first and any(one.type in _STATING for one in records):
                    return False
                await asyncio.to_thread(_feed, held.claims, records)
                held.fed[ledger] = upto
            if size:
                (last,) = await self.copies.read(ledger, size - 1, 1)
                held.last[ledger] = record_to_json(last)["recorded_at"]
        return True

    async def _count(self, ledger: str, after: int, upto: int) -> int:
        return await self.copies.count(ledger, upto) - (await self.copies.count(ledger, after) if after else 0)


def _feed(claims: Claims, records: Sequence[Record]) -> None:
    for record in records:
        claims.feed(record_to_json(record))
