"""An approved erasure destroys the keys; and the key store learns from the ledgers whose keys are whose."""

import asyncio
import logging
from dataclasses import dataclass, field
from uuid import uuid5

from letopis.audit.subject import views
from letopis.audit.subject.decider import SUBJECT, RecordDestroyed
from letopis.audit.subject.events import FACTS, ErasureApproved
from letopis.audit.subject.office import KeyOffice
from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Unavailable
from letopis.common.handling import Desk
from letopis.common.projecting import Told, ViewReader
from letopis.common.reacting import Reaction

NAME = "destroy_when_approved"
PAGE = 1000
EVERY = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DestroyWhenApproved:
    """The approval is durable before a key goes; a crash in between repeats the destruction, which answers the same."""

    desk: Desk
    views: ViewReader
    office: KeyOffice
    clock: Clock

    async def __call__(self, told: Told) -> None:
        fact = told.fact
        if not isinstance(fact, ErasureApproved):
            return
        known = {one["key_id"]: one["subject"] for one in await views.held(self.views, fact.subject)}
        late = await self.office.assign(known)
        gone = await self.office.destroy(fact.subject, fact.erasure_id)
        command = RecordDestroyed(
            subject=fact.subject,
            erasure_id=fact.erasure_id,
            key_ids=tuple(sorted({*gone, *late})),
            at=self.clock.now(),
        )
        meta = Meta(
            actor=Actor(service="audit"),
            purpose=told.meta.purpose,
            correlation_id=told.meta.correlation_id,
            causation_id=str(told.record.event_id),
            authorization=told.meta.authorization,
        )
        await self.desk.handle(SUBJECT, fact.subject, command, meta, uuid5(told.record.event_id, NAME))

    def reaction(self) -> Reaction:
        return Reaction(name=NAME, sources={"audit": FACTS}, react=self)


@dataclass(slots=True)
class Telling:
    """Tells the key store whose keys the sealed facts name. A restart tells all of them again, which is harmless.

    A key that turns up for somebody who was erased (its fact was still in a journal) is destroyed by that.
    """

    desk: Desk
    views: ViewReader
    office: KeyOffice
    clock: Clock
    told: dict[str, int] = field(default_factory=dict)
    _looked: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """For ever; what is away is waited for."""
        while True:
            try:
                busy = await self.step()
            except Unavailable as away:
                _log.warning("the key store is not told of keys: %s", away.detail)
                busy = False
            if not busy:
                await asyncio.sleep(EVERY)

    async def step(self) -> bool:
        """A page of each ledger; whether there was any."""
        read = await self.views.positions(views.SubjectKeys)
        if read == self._looked:
            return False
        busy = False
        for ledger in views.SubjectKeys.sources:
            page = await views.after(self.views, ledger, self.told.get(ledger, 0), PAGE)
            if page:
                await self._tell({one["key_id"]: one["subject"] for one in page})
                self.told[ledger] = page[-1]["first_position"]
            busy = busy or len(page) == PAGE
        if not busy:
            self._looked = read
        return busy

    async def _tell(self, keys: dict[str, str]) -> None:
        for id in await self.office.assign(keys):
            command = RecordDestroyed(subject=keys[id], erasure_id="", key_ids=(id,), at=self.clock.now())
            await self.desk.handle(SUBJECT, keys[id], command, Meta(actor=Actor(service="audit")))
