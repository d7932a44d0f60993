"""The keys that a process holds, in memory only: unassigned ones ahead of need, those of subjects met, those fetched.

A subject met for the first time gets a key of the pool at once; nobody is asked. The assignment is safe, because the
fact that is sealed names subject and key id. What the store says was destroyed MUST be dropped and never held again.
"""

import asyncio
import logging
import os
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from letopis.common.sealing.sealed import NONCE, Key, Place, seal
from letopis.common.sealing.store import KeysAway, KeyStore

POOL = 1000
# Subjects and fetched keys held; who falls out gets another key, or is fetched again.
MOST = 50_000
EVERY = 1.0
AT_ONCE = 1000
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Keyring:
    """One a process. `pool` is how many unassigned keys it wants to hold; a process that only reads wants none."""

    store: KeyStore
    pool: int = 0
    every: float = EVERY
    known: int = 0
    away: bool = False
    _free: deque[Key] = field(default_factory=deque)
    _of: OrderedDict[str, Key] = field(default_factory=OrderedDict)
    _read: OrderedDict[str, Key] = field(default_factory=OrderedDict)
    _erased: set[str] = field(default_factory=set)
    _wanted: set[str] = field(default_factory=set)
    _low: asyncio.Event = field(default_factory=asyncio.Event)

    def key_for(self, subject: str) -> Key:
        """The key under which facts of a subject are sealed now; KeysAway if none is at hand. Waits for nothing."""
        key = self._of.get(subject)
        if key is not None:
            return key
        if subject in self._erased:
            # Whoever comes back is given a key by name, so that nothing of before is mixed with it.
            self._wanted.add(subject)
            self._low.set()
            raise KeysAway("this subject was erased before; a new key is being made, try again")
        try:
            key = self._free.popleft()
        except IndexError:
            self._low.set()
            raise KeysAway from None
        if len(self._free) < self.pool // 2:
            self._low.set()
        _put(self._of, subject, key)
        return key

    async def hold(self, subjects: Iterable[str]) -> None:
        """Have a key for each of these before a batch is sealed; KeysAway if the store cannot give what is missing."""
        missing = [one for one in dict.fromkeys(subjects) if one not in self._of]
        for subject in missing:
            if subject in self._erased:
                self._wanted.add(subject)
            elif not self._free:
                self._free.extend(await self.store.issue(AT_ONCE))
            if subject not in self._erased:
                self.key_for(subject)
        await self._give_wanted()

    async def keys(self, ids: Iterable[str]) -> Mapping[str, Key]:
        """Those of these keys that still exist; KeysAway if the store must be asked and is away."""
        asked = dict.fromkeys(ids)
        found = {id: self._read[id] for id in asked if id in self._read}
        missing = [id for id in asked if id not in found]
        for begin in range(0, len(missing), AT_ONCE):
            before = self.known
            fetched = await self.store.fetch(missing[begin : begin + AT_ONCE])
            found |= fetched
            if before == self.known:
                # What was destroyed while the answer was on its way must not be kept.
                for id, key in fetched.items():
                    _put(self._read, id, key)
        return found

    async def run(self) -> None:
        """Drop what was destroyed, fill the pool, for ever; while the store is away what is held goes on serving."""
        while True:
            try:
                await self.refresh()
            except KeysAway as away:
                if not self.away:
                    _log.warning("no new keys come: %s", away.detail)
                self.away = True
            else:
                self.away = False
            self._low.clear()
            try:
                async with asyncio.timeout(self.every):
                    await self._low.wait()
            except TimeoutError:
                continue
            if self.away:
                await asyncio.sleep(self.every)

    async def refresh(self) -> None:
        """One round: what was destroyed first, so that nothing of it is used while the pool is filled."""
        while told := await self.store.destroyed(self.known):
            for one in told:
                self._drop(one.subject, one.key_id)
            self.known = told[-1].seq
        await self._give_wanted()
        while len(self._free) < self.pool:
            self._free.extend(await self.store.issue(min(AT_ONCE, self.pool - len(self._free))))

    def _drop(self, subject: str, id: str) -> None:
        if subject:
            self._of.pop(subject, None)
            self._erased.add(subject)
        if id:
            self._read.pop(id, None)
            for gone in [one for one, key in self._of.items() if key.id == id]:
                del self._of[gone]

    async def _give_wanted(self) -> None:
        for subject in list(self._wanted):
            (key,) = await self.store.issue(1, subject)
            _put(self._of, subject, key)
            self._wanted.discard(subject)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals the personal fields of facts of one ledger."""

    keyring: Keyring
    ledger: str

    def seal(self, type: str, event_id: UUID, subject: str, field: str, content: bytes) -> str:
        """The sealed text of a field's canonical bytes; KeysAway if no key is at hand."""
        place = Place(ledger=self.ledger, type=type, event_id=event_id, field=field, subject=subject)
        return seal(self.keyring.key_for(subject), place, content, os.urandom(NONCE))


def _put(held: OrderedDict[str, Key], name: str, key: Key) -> None:
    held[name] = key
    while len(held) > MOST:
        held.popitem(last=False)
