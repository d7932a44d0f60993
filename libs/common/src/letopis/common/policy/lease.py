"""A policy answer that stays valid for a while, for scoring and online reads, recorded before it is used.

A grant is a fact with the question, the answer and its end. Effects under it carry the fact's event id. Asking
again ahead of the end finds out early that the answer changed; a denial or a revocation ends the lease at once,
and an engine that is away ends nothing before the recorded end. A restart holds no lease.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from letopis.common.clock import Clock
from letopis.common.errors import Forbidden, LetopisError
from letopis.common.policy.asking import Policy
from letopis.common.policy.verdict import Question, Verdict

K = TypeVar("K", bound=Hashable)

TERM = timedelta(seconds=300)
EVERY = 5.0
# What the asker of a lease can fulfil beside its own obligations: the length of the lease.
LENGTH = "lease"


class LeaseBook(Protocol):
    """Where grants and denials become durable facts before they take effect."""

    async def granted(self, question: Question, verdict: Verdict, not_after: datetime) -> str:
        """Record the grant and return its event id; the fact MUST be durable on return."""
        ...

    async def denied(self, question: Question, verdict: Verdict) -> None:
        """Record the denial; durable on return."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A recorded grant."""

    event_id: str
    question: Question
    verdict: Verdict
    granted_at: datetime
    not_after: datetime

    def holds(self, now: datetime) -> bool:
        """Whether an effect at this time may rest on it; a clock set back before the grant does not stretch it."""
        return self.granted_at <= now < self.not_after

    def due(self, now: datetime, revision: str) -> bool:
        """Whether an agreeing answer must be recorded anew: half the term is over, or the policy is another one."""
        half = self.granted_at + (self.not_after - self.granted_at) / 2
        return now >= half or revision != self.verdict.authorization.revision


def term_of(verdict: Verdict) -> timedelta:
    """How long the policy lets the answer live: the shortest of its lease obligations, else 300 s."""
    told = [one.get("seconds") for one in verdict.obligations if one["type"] == LENGTH]
    seconds = [float(one) for one in told if isinstance(one, int | float) and one > 0]
    return min(timedelta(seconds=min(seconds)), TERM) if seconds else TERM


@dataclass(slots=True)
class Leases(Generic[K]):
    """The leases of one process, by a key such as (consumer, application, purpose)."""

    policy: Policy
    clock: Clock
    book: LeaseBook
    can: frozenset[str] = frozenset()
    held: dict[K, Lease] = field(default_factory=dict)
    used: dict[K, datetime] = field(default_factory=dict)
    _turns: dict[K, asyncio.Lock] = field(default_factory=dict)
    _revocations: int = 0

    def get(self, key: K) -> Lease | None:
        """The lease that holds now, at once; None if one has to be taken."""
        lease, now = self.held.get(key), self.clock.now()
        if lease is None or not lease.holds(now):
            return None
        self.used[key] = now
        return lease

    async def hold(self, key: K, question: Question) -> Lease:
        """The lease, taken if need be; Forbidden once the denial is recorded."""
        if (lease := self.get(key)) is not None:
            return lease
        async with self._turns.setdefault(key, asyncio.Lock()):
            while (lease := self.get(key)) is None:
                before = self._revocations
                taken = await self._take(question)
                # A revocation heard while the question was on its way makes the answer worthless.
                if before == self._revocations:
                    self.held[key], self.used[key] = taken, taken.granted_at
                    return taken
        return lease

    def drop(self, matches: Callable[[K], bool]) -> int:
        """End every lease that a revocation concerns; how many ended."""
        self._revocations += 1
        self.policy.forget()
        ended = [key for key in self.held if matches(key)]
        for key in ended:
            self._end(key)
        return len(ended)

    async def refresh(self) -> None:
        """Ask again for every lease in use; one that nobody used for a whole term is let go."""
        for key, lease in list(self.held.items()):
            now = self.clock.now()
            if not lease.holds(now) or now - self.used.get(key, lease.granted_at) > TERM:
                self._end(key)
                continue
            await self._renew(key, lease)

    async def run(self) -> None:
        """Refresh every 5 s, for ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.refresh()

    async def _renew(self, key: K, lease: Lease) -> None:
        now = self.clock.now()
        question, before = replace(lease.question, time=now), self._revocations
        verdict = await self._ask(question)
        if self.held.get(key) is not lease:
            return
        if not verdict.allow:
            if verdict.answered:
                self._end(key)
                await self.book.denied(question, verdict)
            return
        if not lease.due(now, verdict.authorization.revision):
            return
        try:
            renewed = await self._record(question, verdict)
        except LetopisError:
            # It cannot be recorded now, so it is not extended; what was recorded holds to its end.
            return
        if before == self._revocations and self.held.get(key) is lease:
            self.held[key] = renewed

    async def _take(self, question: Question) -> Lease:
        question = replace(question, time=self.clock.now())
        verdict = await self._ask(question)
        if not verdict.allow:
            await self.book.denied(question, verdict)
            raise Forbidden(reasons=verdict.reasons, authorization_id=verdict.authorization.authorization_id)
        return await self._record(question, verdict)

    async def _ask(self, question: Question) -> Verdict:
        return await self.policy.ask(question, can=self.can | {LENGTH})

    async def _record(self, question: Question, verdict: Verdict) -> Lease:
        not_after = question.time + term_of(verdict)
        event_id = await self.book.granted(question, verdict, not_after)
        return Lease(
            event_id=event_id,
            question=question,
            verdict=verdict,
            granted_at=question.time,
            not_after=not_after,
        )

    def _end(self, key: K) -> None:
        self.held.pop(key, None)
        self.used.pop(key, None)
        self._turns.pop(key, None)
