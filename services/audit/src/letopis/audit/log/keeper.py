"""Keeps one ledger: copies what its owner tells, seals what was copied, and stops both at an incident."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from letopis.audit.checkpoint.lock import Locked, Succession
from letopis.audit.checkpoint.sealer import LedgerRestored, LockLost, Sealer, TilesDamaged
from letopis.audit.checkpoint.succession import mend
from letopis.audit.incident.decider import INCIDENT, Open, OpenIncident, Quiet, State
from letopis.audit.incident.events import Kind
from letopis.audit.log.copying import Copier, CopyRefused
from letopis.audit.log.shelf import TileConflict
from letopis.common import faults
from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta, Record
from letopis.common.errors import LedgerHole
from letopis.common.following import Source
from letopis.common.handling import Desk
from letopis.common.observability import Metrics

BATCH = 2000
READER = "audit"
# How often the owner is asked whether it still tells the last fact that was copied.
RECHECK = 30.0
KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (LedgerRestored, "restored"),
    (LockLost, "lock"),
    (TilesDamaged, "tiles"),
    (TileConflict, "tiles"),
    (LedgerHole, "hole"),
)
STOPPING: tuple[type[Exception], ...] = tuple(kind for kind, _ in KINDS)
# What the sealer finds does not stop copying: the copy only grows, and what it fetches may be what is missing.
COPYING: frozenset[Kind] = frozenset({"hole", "leaf", "rewritten", "owner_restored"})
REFUSING: tuple[type[Exception], ...] = (CopyRefused, *STOPPING)


@dataclass(slots=True)
class Standing:
    """What the loops of one ledger tell each other."""

    grown: asyncio.Event = field(default_factory=asyncio.Event)
    # Until the store was asked, an incident from before the start may be open.
    halted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """The two loops of one ledger; other ledgers are kept by others, so one incident stops one ledger."""

    ledger: str
    source: Source
    copier: Copier
    sealer: Sealer
    desk: Desk
    clock: Clock
    metrics: Metrics
    every: float
    standing: Standing = field(default_factory=Standing)

    async def copy(self) -> None:
        """Copy for ever. A fact that cannot be taken is an incident; while one is open, nothing is copied."""
        copied = self.metrics.gauge("audit_copied", "Last position copied", ("ledger",)).labels(self.ledger)
        await self._copyable()
        position = await self.copier.head()
        while True:
            try:
                records = await self.source.read(position, BATCH)
                if records:
                    faults.point("copy.read")
                    position = await self.copier.take(records, self._announced(records))
                    faults.point("copy.taken")
                    self.source.taken(READER, position)
            except REFUSING as error:
                await self.stop(error)
                await self._copyable()
                continue
            copied.set(position)
            if records:
                self.standing.grown.set()
            else:
                await self.source.wait(position, self.every)

    async def seal(self) -> None:
        """Seal for ever, once in `every` seconds while the copy grows; what stands still is looked at now and then."""
        sealed = self.metrics.gauge("audit_sealed", "Last position under a signed head", ("ledger",))
        stopped = self.metrics.gauge("audit_stopped", "1 while an incident stops the ledger", ("ledger",))
        while True:
            stopped.labels(self.ledger).set(self.standing.halted)
            await self.settled()
            stopped.labels(self.ledger).set(0)
            self.standing.grown.clear()
            try:
                while head := await self.sealer.seal():
                    sealed.labels(self.ledger).set(head.size)
            except STOPPING as error:
                await self.stop(error)
                continue
            await asyncio.sleep(self.every)
            await self._growth()

    async def recheck(self) -> None:
        """Ask the owner, from time to time, for the last fact that was copied: it must still be there, the same."""
        while True:
            await self.settled()
            try:
                await self.checked()
            except CopyRefused as error:
                await self.stop(error)
                continue
            await asyncio.sleep(RECHECK)

    async def checked(self) -> None:
        """CopyRefused if the owner lacks the last copied fact or tells another one."""
        head = await self.copier.head()
        if head == 0:
            return
        records = await self.source.read(head - 1, 1, sure=True)
        if not records:
            raise CopyRefused("owner_restored", self.ledger, head, "is copied here, but its owner has it no more")
        await self.copier.compare(records[:1])

    async def stop(self, error: Exception) -> None:
        """Record the incident; the same one again leaves no second fact."""
        kind = error.kind if isinstance(error, CopyRefused) else next(k for t, k in KINDS if isinstance(error, t))
        position = getattr(error, "position", None) or getattr(error, "extra", {}).get("position", 0)
        command = OpenIncident(
            ledger=self.ledger,
            kind=kind,
            position=cast("int", position),
            detail=str(error),
            at=self.clock.now(),
        )
        self.standing.halted = True
        await self.desk.handle(INCIDENT, self.ledger, command, Meta(actor=Actor(service="audit")))

    async def halted(self) -> bool:
        return isinstance(await self._state(), Open)

    async def settled(self) -> None:
        """Return when no incident of the ledger is open."""
        while self.standing.halted:
            # The fact that closes it may come from another process, so it is looked for.
            state = await self._state()
            if isinstance(state, Open):
                await asyncio.sleep(self.every)
                continue
            # Only then: another loop of this ledger must not seal before the log is mended.
            self.standing.halted = not await self._continued(state)

    async def _continued(self, state: Quiet) -> bool:
        """Carry out what two people agreed to: the log mended, or closed and succeeded; done already, it is nothing.

        False if it cannot be mended; an incident is open again then.
        """
        if state.continued is None:
            return True
        how = state.continued.how
        if how.log == how.closed:
            try:
                await mend(self.sealer)
            except STOPPING as error:
                await self.stop(error)
                return False
            return True
        one = Succession(
            ledger=self.ledger,
            log=how.log,
            closed=how.closed,
            sealed=Locked(how.sealed, bytes.fromhex(how.sealed_root)),
            kept=Locked(how.kept, bytes.fromhex(how.kept_root)),
        )
        await asyncio.to_thread(self.sealer.locks.succeed, one)
        return True

    async def _state(self) -> State:
        return (await self.desk.load(INCIDENT, self.ledger)).state

    async def _copyable(self) -> None:
        """Return when no incident is open that the copier itself found."""
        while True:
            # The fact that closes it may come from another process, so it is looked for.
            state = await self._state()
            if not isinstance(state, Open) or state.kind not in COPYING:
                return
            await asyncio.sleep(self.every)

    async def _growth(self) -> None:
        try:
            async with asyncio.timeout(RECHECK):
                await self.standing.grown.wait()
        except TimeoutError:
            return

    def _announced(self, records: Sequence[Record]) -> Mapping[int, bytes]:
        """The leaf hashes that came with the news of these records; none where they came from the door."""
        known: Mapping[int, bytes] = getattr(self.source, "leafhashes", {})
        return {one.position: known[one.position] for one in records if one.position in known}
