"""Once a minute: counts everything, signs what it found, and looks who has fallen silent."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from letopis.audit.incident.decider import INCIDENT, Open
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.note import Signer, sign_note
from letopis.audit.log.sealed import SealedLog
from letopis.audit.voice import counting, views
from letopis.audit.voice.decider import HEARTBEAT, VOICE, Listen, RecordHeartbeat
from letopis.audit.voice.events import Counted, Kind
from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.following import Source
from letopis.common.handling import Desk
from letopis.common.ledgers import LEDGERS, OWNERS
from letopis.common.observability import Metrics
from letopis.common.projecting import ViewReader

EVERY = 60.0
# A service that does not answer its door for so long is silent, if nobody has said anything else; a model that
# answers an application, after a day without a decision.
SERVICE_SILENT, MODEL_SILENT = 180, 86400
PLACE = "heartbeat"
PAGE = 500
OURSELVES = Meta(actor=Actor(service="audit"))
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Watching:
    """Holds the counters of the minute before; a restart begins anew with one heartbeat that compares nothing."""

    sources: Mapping[str, Source]
    copies: CopyStore
    log: SealedLog
    desk: Desk
    views: ViewReader
    clock: Clock
    signer: Signer
    metrics: Metrics
    before: dict[str, Counted] = field(default_factory=dict)
    heard: dict[tuple[Kind, str], datetime] = field(default_factory=dict)
    began: datetime | None = None

    async def run(self) -> None:
        """For ever; a heartbeat that cannot be recorded is missing, which is the alarm."""
        complete = self.metrics.gauge("audit_complete", "1 if the last heartbeat found everything complete", ())
        beaten = self.metrics.gauge("audit_heartbeat_seconds", "When the last heartbeat was recorded, Unix time", ())
        silent = self.metrics.gauge("audit_silent", "Services, ledgers and models that should speak and do not", ())
        while True:
            try:
                complete.set(await self.beat())
                beaten.set(self.clock.now().timestamp())
                silent.set(await self.listen())
            except (Unavailable, LedgerHole) as away:
                _log.warning("no heartbeat this minute: %s", away.detail)
            await asyncio.sleep(EVERY)

    async def beat(self) -> bool:
        """Count, sign, record; whether everything is complete."""
        counts = {ledger: await self._count(ledger) for ledger in LEDGERS}
        now = self.clock.now()
        self.began = self.began or now
        wrong = counting.missing(self.before, counts)
        number = int(now.timestamp()) // int(EVERY)
        note = sign_note(counting.text(number, now, counts, wrong), self.signer)
        command = RecordHeartbeat(number=number, complete=not wrong, missing=wrong, ledgers=counts, note=note, at=now)
        await self.desk.handle(HEARTBEAT, f"{now:%Y-%m-%dT%H}", command, OURSELVES)
        await asyncio.to_thread(self.log.shelf.publish, PLACE, note.encode())
        self.before = counts
        return not wrong

    async def listen(self) -> int:
        """Who is silent now; the beginning and the end of a silence are facts. How many there are."""
        now, silent = self.clock.now(), 0
        for ledger, count in self.before.items():
            if count.owner is not None:
                self.heard["service", OWNERS[ledger]] = now
        # Nobody is called silent for the time in which nobody was listening.
        for service in dict.fromkeys(OWNERS.values()):
            last = self.heard.get(("service", service), self.began)
            silent += await self._listen("service", service, last, SERVICE_SILENT)
        for ledger, count in self.before.items():
            last = None
            if count.copied:
                (record,) = await self.copies.read(ledger, count.copied - 1, 1)
                last = record.recorded_at
            silent += await self._listen("ledger", ledger, last, None)
        for model in await views.speakers(self.views):
            silent += await self._listen("model", model.name, model.last_at, MODEL_SILENT if model.live else None)
        return silent

    async def _listen(self, kind: Kind, name: str, last: datetime | None, usual: int | None) -> bool:
        command = Listen(kind=kind, name=name, last_at=last, usual=usual, at=self.clock.now())
        voice = (await self.desk.load(VOICE, f"{kind}:{name}")).state
        changes = VOICE.decider.decide(voice, command)
        if changes:
            await self.desk.handle(VOICE, f"{kind}:{name}", command, OURSELVES)
        return reduce(VOICE.decider.evolve, changes, voice).silent

    async def _count(self, ledger: str) -> Counted:
        copied = await self.copies.head(ledger)
        state = (await self.desk.load(INCIDENT, ledger)).state
        sealed = await asyncio.to_thread(self.log.size, ledger)
        return Counted(
            owner=await self._head(ledger, copied), copied=copied, sealed=sealed, halted=isinstance(state, Open)
        )

    async def _head(self, ledger: str, copied: int) -> int | None:
        """The owner's head, asked of the owner itself; None if it does not answer."""
        source, at = self.sources[ledger], max(0, copied - 1)
        try:
            records = await source.read(at, PAGE, sure=True)
        except (Unavailable, LedgerHole):
            return None
        if not records:
            return 0 if at == 0 else at
        return max(records[-1].position, source.known)


def heartbeat_signer(origin: str, log: SealedLog) -> Signer:
    """Who signs heartbeats: the log's key under a name of its own."""
    return Signer(f"{origin}/heartbeat", log.signers["audit"].key)
