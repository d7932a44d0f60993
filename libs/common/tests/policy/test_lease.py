"""Leases: recorded before use, ended by a denial or a revocation, never longer than what is recorded."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from letopis.common.clock import FixedClock
from letopis.common.errors import Forbidden, Reason, Unavailable
from letopis.common.policy.lease import Leases, term_of
from letopis.common.policy.verdict import Object, Question, Subject, Verdict, read_answer, verdict_of
from letopis.common.policy.verdict import unanswered as no_answer

NOW = datetime(2026, 11, 21, 6, 55, tzinfo=UTC)
ASK = Question(
    action="demo.score.read",
    subject=Subject(person="", login="service:bank-app"),
    purpose="scoring",
    object=Object(type="application", id="credit"),
    time=NOW,
)
KEY = ("service:bank-app", "credit", "scoring")


@dataclass
class ScriptedPolicy:
    """Stands for an engine whose answers change at will: allow, deny, or none."""

    says: str = "allow"
    revision: str = "r1"
    seconds: int = 300
    asked: int = 0
    forgotten: int = 0
    meanwhile: Any = None

    async def ask(self, question: Question, *, can: frozenset[str], read: bool = False) -> Verdict:
        self.asked += 1
        says, asked = self.says, question.input()
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        if says == "none":
            return no_answer(Reason(rule="policy.away"), asked, "id")
        allow = says == "allow"
        answer = read_answer(
            {
                "allow": allow,
                "deny": [] if allow else ["role.not_granted"],
                "warned": [],
                "observed": [],
                "obligations": [{"type": "lease", "seconds": self.seconds}],
                "reasons": {},
                "revision": self.revision,
            }
        )
        return verdict_of(answer, asked, "id", can=can)

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class Book:
    """A ledger as two lists."""

    grants: list[datetime] = field(default_factory=list)
    denials: list[Verdict] = field(default_factory=list)
    away: bool = False

    async def granted(self, question: Question, verdict: Verdict, not_after: datetime) -> str:
        if self.away:
            raise Unavailable
        self.grants.append(not_after)
        return f"grant-{len(self.grants)}"

    async def denied(self, question: Question, verdict: Verdict) -> None:
        self.denials.append(verdict)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def policy() -> ScriptedPolicy:
    return ScriptedPolicy()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def leases(policy: ScriptedPolicy, clock: FixedClock, book: Book) -> Leases[tuple[str, str, str]]:
    return Leases(policy, clock, book)


def after(clock: FixedClock, seconds: float) -> None:
    clock.at += timedelta(seconds=seconds)


class TestHold:
    async def test_is_recorded_before_it_is_used_and_asked_once(self, leases, policy, book) -> None:
        lease = await leases.hold(KEY, ASK)
        assert lease.event_id == "grant-1"
        assert book.grants == [NOW + timedelta(seconds=300)]
        assert await leases.hold(KEY, ASK) is lease
        assert leases.get(KEY) is lease
        assert policy.asked == 1

    async def test_many_at_once_take_one(self, leases, policy, book) -> None:
        taken = await asyncio.gather(*(leases.hold(KEY, ASK) for _ in range(20)))
        assert len({lease.event_id for lease in taken}) == 1
        assert policy.asked == 1

    async def test_a_denial_is_recorded_and_raised(self, leases, policy, book) -> None:
        policy.says = "deny"
        with pytest.raises(Forbidden) as refused:
            await leases.hold(KEY, ASK)
        assert [reason.rule for reason in refused.value.reasons] == ["role.not_granted"]
        assert len(book.denials) == 1
        assert leases.get(KEY) is None

    async def test_what_cannot_be_recorded_is_not_held(self, leases, book) -> None:
        book.away = True
        with pytest.raises(Unavailable):
            await leases.hold(KEY, ASK)
        assert leases.get(KEY) is None

    async def test_ends_with_its_term_and_not_before(self, leases, clock, policy) -> None:
        policy.seconds = 60
        await leases.hold(KEY, ASK)
        after(clock, 59.999)
        assert leases.get(KEY) is not None
        after(clock, 0.001)
        assert leases.get(KEY) is None

    async def test_does_not_hold_when_the_clock_is_set_back(self, leases, clock) -> None:
        await leases.hold(KEY, ASK)
        after(clock, -1)
        assert leases.get(KEY) is None

    async def test_policy_cannot_stretch_a_lease_beyond_the_default(self, leases, policy, book) -> None:
        policy.seconds = 86_400
        await leases.hold(KEY, ASK)
        assert book.grants == [NOW + timedelta(seconds=300)]


class TestRefresh:
    async def test_an_agreeing_answer_is_recorded_at_half_term(self, leases, clock, book) -> None:
        await leases.hold(KEY, ASK)
        after(clock, 149)
        await leases.refresh()
        assert len(book.grants) == 1
        after(clock, 1)
        await leases.refresh()
        assert book.grants[1] == NOW + timedelta(seconds=450)
        assert leases.get(KEY).event_id == "grant-2"

    async def test_a_new_revision_is_recorded_at_once(self, leases, policy, clock, book) -> None:
        await leases.hold(KEY, ASK)
        policy.revision = "r2"
        after(clock, 5)
        await leases.refresh()
        assert len(book.grants) == 2

    async def test_a_denial_ends_it_and_is_recorded(self, leases, policy, clock, book) -> None:
        await leases.hold(KEY, ASK)
        policy.says = "deny"
        after(clock, 5)
        await leases.refresh()
        assert leases.get(KEY) is None
        assert len(book.denials) == 1

    async def test_an_engine_that_is_away_ends_nothing_before_the_recorded_end(
        self, leases, policy, clock, book
    ) -> None:
        """The stop table: OPA away, scoring goes on until the lease ends."""
        await leases.hold(KEY, ASK)
        policy.says = "none"
        after(clock, 299)
        await leases.refresh()
        assert leases.get(KEY) is not None
        after(clock, 1)
        assert leases.get(KEY) is None
        with pytest.raises(Forbidden):
            await leases.hold(KEY, ASK)

    async def test_a_ledger_that_is_away_extends_nothing(self, leases, clock, book) -> None:
        await leases.hold(KEY, ASK)
        book.away = True
        after(clock, 200)
        await leases.refresh()
        assert leases.get(KEY).not_after == NOW + timedelta(seconds=300)

    async def test_one_that_nobody_uses_is_let_go(self, leases, clock, policy) -> None:
        await leases.hold(KEY, ASK)
        after(clock, 200)
        await leases.refresh()
        after(clock, 110)
        await leases.refresh()
        assert policy.asked == 2
        assert leases.held == {}


class TestRevocation:
    async def test_ends_what_it_concerns_at_once(self, leases, policy) -> None:
        other = ("service:other", "credit", "scoring")
        await leases.hold(KEY, ASK)
        await leases.hold(other, replace(ASK, subject=Subject(person="", login="service:other")))
        assert leases.drop(lambda key: key[0] == "service:bank-app") == 1
        assert leases.get(KEY) is None
        assert leases.get(other) is not None
        assert policy.forgotten == 1

    async def test_an_answer_on_its_way_is_worthless(self, leases, policy) -> None:
        def revoke() -> None:
            leases.drop(lambda _: True)
            policy.says = "deny"

        policy.meanwhile = revoke
        with pytest.raises(Forbidden):
            await leases.hold(KEY, ASK)
        assert policy.asked == 2

    async def test_a_refresh_on_its_way_brings_nothing_back(self, leases, policy, clock) -> None:
        await leases.hold(KEY, ASK)
        after(clock, 200)
        policy.meanwhile = lambda: leases.drop(lambda _: True)
        await leases.refresh()
        assert leases.get(KEY) is None


class TestTerm:
    async def test_is_the_shortest_that_policy_names(self, policy: ScriptedPolicy) -> None:
        policy.seconds = 7
        verdict = await policy.ask(ASK, can=frozenset({"lease"}))
        assert term_of(verdict) == timedelta(seconds=7)
