"""Online reads are leased and counted: the lease is a fact before the first value, the counts follow in batches."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Authorization, Meta
from letopis.common.errors import Unavailable
from letopis.common.handling import Desk
from letopis.common.http.denial import record_denial
from letopis.common.ids import uuid7
from letopis.common.policy.lease import Lease
from letopis.common.policy.verdict import Question, Verdict
from letopis.features.online.decider import ONLINE, CountReads, RecordLease, StopCounting
from letopis.features.online.events import LeaseGranted, OnlineReadsCounted

EVERY = 1.0
LEDGER = "access"
STATUSES = ("present", "stale", "missing", "masked")


@dataclass(slots=True)
class Tally:
    """What was served under one lease since the last flush."""

    first_at: datetime
    last_at: datetime
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Book:
    """Where grants and denials of online reads become facts (the LeaseBook of common/policy/lease.py)."""

    desk: Desk
    counts: "Counts"

    async def granted(self, question: Question, verdict: Verdict, not_after: datetime) -> str:
        """Record the lease; durable on return. The process is named on disk before its first lease is."""
        await self.counts.begin()
        process = self.counts.process
        lease = LeaseGranted(
            lease_id=str(uuid7()),
            process=process,
            consumer=question.subject.login,
            bundle_id=question.object.id,
            purpose=question.purpose,
            not_after=not_after,
        )
        meta = _meta(question, verdict.authorization)
        handled = await self.desk.handle(ONLINE, process, RecordLease(lease=lease), meta)
        return str(handled.records[-1].event_id)

    async def denied(self, question: Question, verdict: Verdict) -> None:
        """Record the denial; durable on return."""
        await record_denial(self.desk.store, LEDGER, _meta(question, verdict.authorization), verdict.authorization)


@dataclass(slots=True)
class Counts:
    """The counts of this process, and the file that names it until it ends well.

    Counts of the last second are lost in a crash: the next start finds the name and records that they are unknown.
    """

    desk: Desk
    clock: Clock
    process: str
    mark: Path
    tallies: dict[str, tuple[Lease, Tally]] = field(default_factory=dict)
    begun: bool = False

    def add(self, lease: Lease, statuses: Mapping[str, int], entities: int) -> None:
        """Count one answer that is about to leave."""
        now = self.clock.now()
        _, tally = self.tallies.setdefault(lease.event_id, (lease, Tally(now, now)))
        tally.last_at = now
        tally.counts.update(statuses)
        tally.counts["requests"] += 1
        tally.counts["entities"] += entities

    async def begin(self) -> None:
        """Record what an earlier process on this place left unknown, and write down our own name; once."""
        if self.begun:
            return
        with suppress(FileNotFoundError):
            before = self.mark.read_text("ascii").strip()
            if before and before != self.process:
                stop = StopCounting(process=before, complete=False)
                await self.desk.handle(ONLINE, before, stop, _own())
        self.mark.parent.mkdir(parents=True, exist_ok=True)
        aside = self.mark.with_suffix(".new")
        with aside.open("w", encoding="ascii") as file:
            file.write(self.process)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self.mark)
        self.begun = True

    async def flush(self) -> int:
        """Append what was counted; the number of facts. What cannot be appended now is kept for the next time."""
        done = 0
        for event_id in list(self.tallies):
            lease, tally = self.tallies.pop(event_id)
            try:
                await self.desk.handle(ONLINE, self.process, CountReads(counted=self._fact(lease, tally)), _own(lease))
            except Unavailable:
                self._keep(event_id, lease, tally)
                raise
            done += 1
        return done

    async def end(self) -> None:
        """Flush, and record that nothing is missing; then the name is forgotten."""
        if not self.begun:
            return
        await self.flush()
        await self.desk.handle(ONLINE, self.process, StopCounting(process=self.process, complete=True), _own())
        self.mark.unlink(missing_ok=True)

    async def run(self) -> None:
        """Flush every second, for ever; while the database is away the counts wait in memory."""
        await self.begin()
        while True:
            await asyncio.sleep(EVERY)
            with suppress(Unavailable):
                await self.flush()

    def _fact(self, lease: Lease, tally: Tally) -> OnlineReadsCounted:
        question = lease.question
        return OnlineReadsCounted(
            process=self.process,
            lease=lease.event_id,
            consumer=question.subject.login,
            bundle_id=question.object.id,
            purpose=question.purpose,
            first_at=tally.first_at,
            last_at=tally.last_at,
            requests=tally.counts["requests"],
            entities=tally.counts["entities"],
            **{status: tally.counts[status] for status in STATUSES},
        )

    def _keep(self, event_id: str, lease: Lease, tally: Tally) -> None:
        later = self.tallies.get(event_id)
        if later is None:
            self.tallies[event_id] = (lease, tally)
            return
        later[1].first_at = tally.first_at
        later[1].counts.update(tally.counts)


def _meta(question: Question, authorization: Authorization) -> Meta:
    subject = question.subject
    actor = Actor(person=subject.person, login=subject.login, service=subject.service)
    return Meta(actor=actor, purpose=question.purpose, authorization=authorization)


def _own(lease: Lease | None = None) -> Meta:
    """The service counts by itself; under a lease the fact's meta carries the lease's event id alone."""
    under = None if lease is None else Authorization(input={}, result={}, lease=lease.event_id)
    purpose = "" if lease is None else lease.question.purpose
    return Meta(actor=Actor(service="features"), purpose=purpose, authorization=under)
