"""The contract of the event store, proved of the one on PostgreSQL and of its twin in memory."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, make_url

from letopis.common.clock import FixedClock
from letopis.common.database import open_engine
from letopis.common.envelope import NewFact
from letopis.common.errors import Conflict, EventStoreError, KeyReused, SourceGap, StreamClosed
from letopis.common.eventstore import schema
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.eventstore.port import StreamFacts
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import salt, uuid7
from letopis.common.migrating import Roles


def fact(number=1):
    return NewFact(
        event_id=uuid7(),
        type="test.thing.happened",
        schema_version=1,
        salt=salt(),
        data=b'{"n":%d}' % number,
        meta=b"{}",
    )


def prepare(database):
    owner = create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))
    roles = Roles(app=make_url(database.app_url).username, projector=make_url(database.projector_url).username)
    with owner.begin() as connection:
        schema.create(connection, ("test", "other"), roles)
    owner.dispose()


@pytest.fixture(params=["memory", "postgres"])
async def store(request):
    if request.param == "memory":
        yield MemoryEventStore(FixedClock(datetime(2026, 11, 21, tzinfo=UTC)))
        return
    engine = open_engine(request.getfixturevalue("database")(prepare=prepare).app_url, autocommit=True)
    yield PostgresEventStore(engine)
    await engine.dispose()


class TestAppend:
    async def test_numbers_ledger_and_stream_and_links_back(self, store):
        await store.append("test", "a:1", 0, [fact(1), fact(2)])
        await store.append("test", "b:1", 0, [fact(3)])
        done = await store.append("test", "a:1", 2, [fact(4)])
        assert (done.first, done.last, done.replayed) == (4, 4, False)
        told = [(one.position, one.stream, one.version, one.prev) for one in await store.read("test", 0, 10)]
        assert told == [(1, "a:1", 1, 0), (2, "a:1", 2, 1), (3, "b:1", 1, 0), (4, "a:1", 3, 2)]
        assert [one.position for one in await store.load("test", "a:1")] == [1, 2, 4]
        assert await store.head("test") == 4
        assert await store.stream_head("test", "a:1") == 3
        assert await store.head("other") == 0

    async def test_keeps_the_exact_bytes(self, store):
        one = fact()
        await store.append("test", "a:1", 0, [one])
        (record,) = await store.read("test", 0, 10)
        assert (record.data, record.meta, record.salt, record.event_id) == (one.data, one.meta, one.salt, one.event_id)
        assert record.recorded_at.tzinfo is not None

    @pytest.mark.parametrize("expected", [0, 2, 7])
    async def test_refuses_a_stream_that_moved_on(self, store, expected):
        await store.append("test", "a:1", 0, [fact()])
        with pytest.raises(Conflict):
            await store.append("test", "a:1", expected, [fact()])
        assert await store.head("test") == 1

    async def test_answers_a_repeated_command_again(self, store):
        command = uuid7()
        first = await store.append("test", "a:1", 0, [fact(), fact()], command, b"hash")
        again = await store.append("test", "a:1", 0, [fact(), fact()], command, b"hash")
        assert (again.first, again.last, again.replayed) == (first.first, first.last, True)
        assert await store.head("test") == 2
        row = await store.find_command("test", command)
        assert (row.first, row.last, row.request_hash) == (1, 2, b"hash")

    async def test_refuses_a_command_id_with_another_request(self, store):
        command = uuid7()
        await store.append("test", "a:1", 0, [fact()], command, b"hash")
        with pytest.raises(KeyReused):
            await store.append("test", "a:1", 1, [fact()], command, b"other")

    async def test_twins_at_once_append_once(self, store):
        command = uuid7()
        done = await asyncio.gather(*(store.append("test", "a:1", 0, [fact()], command, b"h") for _ in range(5)))
        assert {(one.first, one.last) for one in done} == {(1, 1)}
        assert await store.head("test") == 1

    async def test_races_on_one_stream_have_one_winner_each(self, store):
        async def race(expected):
            try:
                await store.append("test", "a:1", expected, [fact()])
            except Conflict:
                return 0
            return 1

        for expected in range(5):
            assert sum(await asyncio.gather(*(race(expected) for _ in range(4)))) == 1
        assert [one.version for one in await store.load("test", "a:1")] == [1, 2, 3, 4, 5]

    async def test_writers_on_many_streams_leave_no_gap(self, store):
        async def writer(name):
            for version in range(10):
                await store.append("test", f"s:{name}", version, [fact()])

        await asyncio.gather(*(writer(name) for name in range(6)))
        assert [one.position for one in await store.read("test", 0, 100)] == list(range(1, 61))


class TestSeveralStreams:
    async def test_are_appended_together_in_the_order_told(self, store):
        await store.append("test", "a:1", 0, [fact()])
        command = uuid7()
        streams = [
            StreamFacts(stream="b:1", expected=0, facts=[fact(1), fact(2)]),
            StreamFacts(stream="a:1", expected=1, facts=[fact(3)]),
        ]
        done = await store.append_all("test", streams, command, b"h")
        assert (done.first, done.last, done.replayed) == (2, 4, False)
        told = [(one.position, one.stream, one.version, one.prev) for one in await store.read("test", 1, 10)]
        assert told == [(2, "b:1", 1, 0), (3, "b:1", 2, 2), (4, "a:1", 2, 1)]
        assert {one.command_id for one in await store.read("test", 1, 10)} == {command}
        again = await store.append_all("test", streams, command, b"h")
        assert (again.first, again.last, again.replayed) == (2, 4, True)

    @pytest.mark.parametrize("moved", ["a:1", "z:1"])
    async def test_a_conflict_on_one_leaves_no_trace_on_any(self, store, moved):
        await store.append("test", moved, 0, [fact()])
        command = uuid7()
        streams = [StreamFacts(stream=name, expected=0, facts=[fact()]) for name in ("m:1", moved)]
        with pytest.raises(Conflict):
            await store.append_all("test", streams, command, b"h")
        assert (await store.head("test"), await store.stream_head("test", "m:1")) == (1, 0)
        assert await store.find_command("test", command) is None
        # The same command may come again with what it now knows.
        streams[1] = StreamFacts(stream=moved, expected=1, facts=[fact()])
        assert (await store.append_all("test", streams, command, b"h")).last == 3

    @pytest.mark.parametrize("streams", [[], ["a:1", "a:1"]])
    async def test_none_or_one_twice_is_misuse(self, store, streams):
        with pytest.raises(EventStoreError):
            await store.append_all("test", [StreamFacts(stream=one, expected=0, facts=[fact()]) for one in streams])
        with pytest.raises(EventStoreError):
            await store.append("test", "a:1", 0, [])
        assert await store.head("test") == 0


class TestClosing:
    async def test_a_closed_stream_takes_no_more(self, store):
        await store.append("test", "a:1", 0, [fact(1)])
        command, last = uuid7(), StreamFacts(stream="a:1", expected=1, facts=[fact(2)], closes=True)
        await store.append_all("test", [last], command, b"h")
        for expected in (0, 1, 2):
            with pytest.raises(StreamClosed):
                await store.append("test", "a:1", expected, [fact()])
        assert (await store.append_all("test", [last], command, b"h")).replayed
        with pytest.raises(StreamClosed):
            await store.append_all(
                "test", [StreamFacts(stream=name, expected=0, facts=[fact()]) for name in ("b:1", "a:1")]
            )
        assert [one.version for one in await store.load("test", "a:1")] == [1, 2]
        assert (await store.append("test", "b:1", 0, [fact()])).last == 3


class TestBatch:
    async def test_follows_the_journal(self, store):
        source = uuid7()
        await store.append_batch("test", source, 1, [fact(n) for n in range(3)])
        await store.append_batch("test", source, 4, [fact(3)])
        told = [(one.stream, one.version, one.prev) for one in await store.read("test", 0, 10)]
        stream = f"journal:{source}"
        assert told == [(stream, 1, 0), (stream, 2, 1), (stream, 3, 2), (stream, 4, 3)]
        assert await store.source_position("test", source) == 4

    @pytest.mark.parametrize(("first", "count"), [(1, 3), (2, 4), (1, 6), (4, 2)])
    async def test_skips_what_it_has_whatever_the_borders(self, store, first, count):
        source = uuid7()
        await store.append_batch("test", source, 1, [fact(n) for n in (1, 2, 3)])
        await store.append_batch("test", source, first, [fact(n) for n in range(first, first + count)])
        last = max(3, first + count - 1)
        assert [one.data for one in await store.read("test", 0, 20)] == [b'{"n":%d}' % n for n in range(1, last + 1)]
        assert await store.source_position("test", source) == last

    async def test_refuses_a_hole(self, store):
        source = uuid7()
        await store.append_batch("test", source, 1, [fact()])
        with pytest.raises(SourceGap):
            await store.append_batch("test", source, 3, [fact()])

    async def test_wholly_known_batch_changes_nothing(self, store):
        source = uuid7()
        await store.append_batch("test", source, 1, [fact(), fact()])
        await store.append("test", "a:1", 0, [fact()])
        again = await store.append_batch("test", source, 1, [fact(), fact()])
        assert (again.first, again.last) == (3, 2)
        assert await store.head("test") == 3
