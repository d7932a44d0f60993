"""Reactions: each fact at least once and in order, poison stops only its stream, an absent part only delays."""

import asyncio
from dataclasses import replace
from uuid import uuid5

import pytest
from sqlalchemy import text

from letopis.common.clock import SystemClock
from letopis.common.errors import Unavailable
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.observability import Metrics
from letopis.common.reacting import Reaction, Reactor
from letopis.common.running import end
from letopis.common.testing.sample import MONEY, NAMES, Deposited, Named, facts


class Hand:
    """What a reaction does: remembers, and fails when told to."""

    def __init__(self, *, poison=(), away=()):
        self.done = []
        self.poison = set(poison)
        self.away = set(away)
        self.changed = asyncio.Condition()

    async def __call__(self, told):
        place = (told.record.ledger, told.record.position)
        if place in self.away:
            raise Unavailable("the part it needs is away")
        if place in self.poison:
            raise ValueError("no such account")
        self.done.append(place)
        async with self.changed:
            self.changed.notify_all()

    async def until(self, *places):
        async with self.changed, asyncio.timeout(20):
            await self.changed.wait_for(lambda: set(places) <= set(self.done))


def reactor(service, hand, *, name="greet", sources=None):
    reaction = Reaction(name=name, sources=sources or {"money": MONEY, "names": NAMES}, react=hand)
    return Reactor(reaction, service.sources, service.app, Metrics("test"))


def money(*positions):
    return [("money", one) for one in positions]


async def to_the_end(one):
    await one.retry()
    while await one.step():
        pass


async def parked(service):
    async with service.app.connect() as connection:
        rows = await connection.execute(text("SELECT ledger, position, stream FROM reacting.parked ORDER BY 1, 2"))
        return [tuple(row) for row in rows]


class TestReactor:
    async def test_takes_each_known_fact_in_order_and_goes_on_where_it_was(self, service):
        hand = Hand()
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(5)))
        await to_the_end(reactor(service, hand))
        await service.tell("money", Deposited(account="a", amount=9))
        await service.tell("names", Named(account="a", names=[]))
        await to_the_end(reactor(service, hand))
        assert hand.done == [*money(1, 2, 3, 4, 5, 6), ("names", 1)]

    async def test_passes_over_what_the_catalogue_does_not_know(self, service):
        hand = Hand()
        await service.tell("money", Deposited(account="a", amount=1))
        one = reactor(service, hand, sources={"money": NAMES})
        await to_the_end(one)
        assert hand.done == []
        assert one.positions == {"money": 1}

    async def test_wakes_up_for_news(self, service):
        hand = Hand()
        running = asyncio.create_task(reactor(service, hand).run())
        await service.tell("money", Deposited(account="a", amount=1))
        await hand.until(*money(1))
        await service.tell("names", Named(account="a", names=[]))
        await hand.until(("names", 1))
        await end(running)

    async def test_killed_before_the_checkpoint_repeats_the_fact(self, service, monkeypatch):
        """At least once: the command id made of the event id makes the repetition harmless."""
        hand = Hand()
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(3)))
        execute, visits = Reactor._execute, 0

        async def deadly(self, *arguments, **values):
            nonlocal visits
            visits += 1
            if visits == 2:
                asyncio.current_task().cancel()
            await execute(self, *arguments, **values)

        monkeypatch.setattr(Reactor, "_execute", deadly)
        work = asyncio.create_task(to_the_end(reactor(service, hand)))
        await asyncio.wait([work])
        assert work.cancelled()
        await to_the_end(reactor(service, hand))
        assert hand.done == money(1, 2, 2, 3)

    async def test_commands_named_by_the_event_are_carried_out_once(self, service):
        """Two reactors at once, and a third from the beginning under the same name: one fact for each."""
        store = MemoryEventStore(SystemClock())

        async def greet(told):
            command = uuid5(told.record.event_id, "greet")
            await store.append("names", f"greeting:{command}", 0, facts(NAMES, Named(account="a", names=[])), command)

        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(10)))
        await asyncio.gather(*(to_the_end(reactor(service, greet)) for _ in range(2)))
        async with service.app.begin() as connection:
            await connection.execute(text("UPDATE reacting.checkpoint SET position = 0"))
        await to_the_end(reactor(service, greet))
        assert await store.head("names") == 10


class TestParked:
    async def test_poison_stops_its_stream_and_not_the_world(self, service):
        hand = Hand(poison=money(2))
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(3)))
        await service.store.append("money", "other:1", 0, facts(MONEY, Deposited(account="b", amount=1)))
        await to_the_end(reactor(service, hand))
        assert hand.done == money(1, 4)
        assert await parked(service) == [("money", 2, "sample:1"), ("money", 3, "sample:1")]

    async def test_is_tried_again_in_order_after_a_restart(self, service):
        hand = Hand(poison=money(2))
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(4)))
        await to_the_end(reactor(service, hand))
        await to_the_end(reactor(service, hand))
        assert hand.done == money(1)
        hand.poison.clear()
        await to_the_end(reactor(service, hand))
        assert hand.done == money(1, 2, 3, 4)
        assert await parked(service) == []

    async def test_a_fact_that_cannot_be_decoded_is_poison_too(self, service):
        hand = Hand()
        await service.tell("money", Deposited(account="a", amount=1))
        strange = replace(facts(MONEY, Deposited(account="b", amount=2))[0], schema_version=9)
        await service.store.append("money", "other:1", 0, [strange])
        await service.tell("money", Deposited(account="a", amount=3))
        await to_the_end(reactor(service, hand))
        assert hand.done == money(1, 3)
        assert await parked(service) == [("money", 2, "other:1")]


class TestAway:
    async def test_a_part_that_is_away_only_delays(self, service):
        hand = Hand(away=money(2))
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(3)))
        await service.tell("names", Named(account="a", names=[]))
        one = reactor(service, hand)
        await one.step()
        await one.step()
        assert sorted(hand.done) == [*money(1), ("names", 1)]
        hand.away.clear()
        await to_the_end(one)
        assert hand.done.count(("money", 2)) == 1
        assert await parked(service) == []

    async def test_rests_longer_each_time_and_no_more_once_it_works(self, service):
        hand = Hand(away=money(1))
        await service.tell("money", Deposited(account="a", amount=1))
        one, pauses = reactor(service, hand), []
        for _ in range(9):
            await one.step()
            pauses.append(one.away["money"].seconds)
        assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        await service.tell("names", Named(account="a", names=[]))
        await one.step(resting={"money"})
        assert hand.done == [("names", 1)]
        lag = {"reaction": "greet", "ledger": "money"}
        assert one.metrics.registry.get_sample_value("letopis_reaction_lag_events", lag) == 1
        hand.away.clear()
        await to_the_end(one)
        assert one.away == {}
        assert one.metrics.registry.get_sample_value("letopis_reaction_lag_events", lag) == 0

    async def test_says_so_when_nothing_can_be_done(self, service):
        await service.tell("money", Deposited(account="a", amount=1))
        with pytest.raises(Unavailable):
            await reactor(service, Hand(away=money(1)), sources={"money": MONEY}).step()
