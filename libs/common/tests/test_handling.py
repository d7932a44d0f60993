"""A command's way through a store that others use at the same time."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from letopis.common.clock import FixedClock
from letopis.common.decider import Aggregate, Decider
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Refused, StreamClosed
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.handling import Desk, new_fact
from letopis.common.ids import uuid7
from letopis.common.serialization import Catalogue

META = Meta(actor=Actor(person="p-1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    id: str


class Over(Refused):
    code = "case.over"


def decide(state, command):
    if isinstance(state, Ended):
        raise Over
    return [command]


FACTS = Catalogue([("money.case.opened", 1, Opened), ("money.case.ended", 1, Ended)])
CASE = Aggregate("case", Decider(None, decide, lambda _, fact: fact), FACTS, ends=frozenset({Ended}))


class Overtaken(MemoryEventStore):
    """Another process ends the case between the loading and the appending."""

    async def append_all(self, ledger, streams, command_id=None, request_hash=b""):
        if await self.stream_head(ledger, "case:1") == 1:
            other = Desk(MemoryEventStore(self.clock, None, self.ledgers, {}, {}, self.closed), "money")
            await other.handle(CASE, "1", Ended(id="1"), META)
        return await super().append_all(ledger, streams, command_id, request_hash)


@pytest.fixture
def clock():
    return FixedClock(datetime(2026, 11, 21, tzinfo=UTC))


class TestEnding:
    async def test_the_last_fact_closes_the_stream_in_the_store_itself(self, clock):
        desk = Desk(MemoryEventStore(clock), "money")
        await desk.handle(CASE, "1", Opened(id="1"), META)
        command = uuid7()
        ended = await desk.handle(CASE, "1", Ended(id="1"), META, command, b"h")
        assert (await desk.handle(CASE, "1", Ended(id="1"), META, command, b"h")).replayed
        with pytest.raises(Over):
            await desk.handle(CASE, "1", Opened(id="1"), META)
        # Whoever goes round the decider meets the store.
        with pytest.raises(StreamClosed):
            await desk.store.append("money", ended.stream, 2, [new_fact(FACTS, Opened(id="1"), b"{}")])

    async def test_several_end_by_one_command(self, clock):
        desk = Desk(MemoryEventStore(clock), "money")
        done = await desk.handle_all(CASE, [(id, Ended(id=id)) for id in ("b", "a")], META, uuid7())
        assert [one.stream for one in done.records] == ["case:b", "case:a"]
        with pytest.raises(Over):
            await desk.handle_all(CASE, [("c", Opened(id="c")), ("a", Opened(id="a"))], META, uuid7())
        assert await desk.store.head("money") == 2

    async def test_who_is_overtaken_by_the_end_hears_the_decider(self, clock):
        desk = Desk(Overtaken(clock), "money")
        await desk.handle(CASE, "1", Opened(id="1"), META)
        with pytest.raises(Over):
            await desk.handle(CASE, "1", Opened(id="1"), META)
        assert await desk.store.head("money") == 2
