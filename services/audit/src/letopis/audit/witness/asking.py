"""Handing signed heads to the witnesses, and publishing those that enough of them have signed."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from letopis.audit.log.note import BadNote, Checkpoint
from letopis.audit.log.sealed import SealedLog
from letopis.audit.witness.cosignature import WitnessKey
from letopis.audit.witness.policy import WitnessPolicy
from letopis.audit.witness.watching import submission
from letopis.common.errors import NotFound
from letopis.common.observability import Metrics

_log = logging.getLogger(__name__)


class NoCosignature(Exception):
    """A witness did not sign; the message says what it answered."""


@dataclass(slots=True, kw_only=True)
class Asking:
    """All ledgers, all witnesses. Sealing does not wait for this: a head is signed first and witnessed after."""

    log: SealedLog
    ledgers: Sequence[str]
    policy: WitnessPolicy
    http: httpx.AsyncClient
    metrics: Metrics
    every: float = 1.0
    _sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    _done: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            for ledger in self.ledgers:
                await self.step(ledger)
            await asyncio.sleep(self.every)

    async def step(self, ledger: str) -> bool:
        """Whether the newest head of a ledger is published with enough cosignatures."""
        try:
            note = await asyncio.to_thread(self.log.note, ledger)
            head = await asyncio.to_thread(self.log.head, ledger)
        except NotFound:
            return False
        if self._done.get(ledger, -1) >= head.size:
            return True
        names = [name for name in self.policy.witnesses if name in self.policy.addresses]
        answers = await asyncio.gather(*(self._ask(name, ledger, note, head) for name in names))
        signed = {name: line for name, line in zip(names, answers, strict=True) if line}
        if not self.policy.satisfied(set(signed)):
            return False
        whole = note + "".join(signed.values())
        await asyncio.to_thread(self.log.publish_witnessed, ledger, whole)
        self._done[ledger] = head.size
        self.metrics.gauge("audit_witnessed", "Last position under a head that witnesses signed", ("ledger",)).labels(
            ledger
        ).set(head.size)
        return True

    async def _ask(self, name: str, ledger: str, note: str, head: Checkpoint) -> str:
        key, address = self.policy.witnesses[name], self.policy.addresses[name]
        refused = self.metrics.counter("audit_witness_refused", "Heads a witness did not sign", ("witness", "ledger"))
        try:
            return await self._cosignature(name, key, address, ledger, note, head)
        except (httpx.HTTPError, BadNote, NoCosignature, ValueError) as error:
            refused.labels(name, ledger).inc()
            _log.warning("a witness did not sign", extra={"witness": name, "ledger": ledger, "reason": str(error)})
            return ""

    async def _cosignature(
        self, name: str, key: WitnessKey, address: str, ledger: str, note: str, head: Checkpoint
    ) -> str:
        old = self._sizes.get((name, ledger), 0)
        answer = await self._post(address, ledger, note, old, head.size)
        if answer.status_code == httpx.codes.CONFLICT and (known := int(answer.text)) != old and known <= head.size:
            # It has signed another head since this process knows it; that is where the proof must begin.
            old = known
            answer = await self._post(address, ledger, note, old, head.size)
        if answer.status_code != httpx.codes.OK:
            raise NoCosignature(f"{answer.status_code} {answer.text.strip()}")
        text = head.text()
        for line in answer.text.splitlines():
            if key.cosigned(line, text) is not None:
                self._sizes[name, ledger] = head.size
                return f"{line}\n"
        raise NoCosignature("no cosignature of the key that was agreed on")

    async def _post(self, address: str, ledger: str, note: str, old: int, size: int) -> httpx.Response:
        proof = await asyncio.to_thread(self.log.consistency, ledger, old, size)
        return await self.http.post(f"{address.rstrip('/')}/add-checkpoint", content=submission(old, proof, note))
