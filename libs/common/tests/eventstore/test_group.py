"""Appends that travel together: an outcome each, whoever else is in the group and whatever happens to it."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from letopis.common.database import open_engine
from letopis.common.errors import Conflict, EventStoreError, Unavailable
from letopis.common.eventstore.port import StreamFacts
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import uuid7

from .test_contract import fact, prepare

WRITERS, EACH = 6, 8
TESTS = Path(__file__).parents[1]
# A process of its own, with the same race in it.
PROCESS = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from eventstore.test_group import race
print(asyncio.run(race(sys.argv[1])))
"""


@asynccontextmanager
async def opened(url, **options):
    engine = open_engine(url, autocommit=True)
    try:
        yield PostgresEventStore(engine, **options)
    finally:
        await engine.dispose()


async def race(url):
    """Writers on three shared streams; how many facts were acknowledged, every command sent twice."""
    async with opened(url) as store:

        async def write(number):
            written = 0
            for turn in range(EACH):
                names = [f"s:{(number + turn) % 3}"] + ([f"s:{(number + turn + 1) % 3}"] if turn % 3 == 0 else [])
                command = uuid7()
                expected = [await store.stream_head("test", name) for name in names]
                streams = [
                    StreamFacts(stream=name, expected=version, facts=[fact()])
                    for name, version in zip(names, expected, strict=True)
                ]
                try:
                    done, again = await asyncio.gather(
                        *(store.append_all("test", streams, command, b"h") for _ in range(2))
                    )
                except Conflict:
                    continue
                assert (done.first, done.last) == (again.first, again.last)
                assert done.replayed + again.replayed == 1
                written += len(streams)
            return written

        return sum(await asyncio.gather(*(write(number) for number in range(WRITERS))))


def chained(records):
    """Whether positions have no gap and every stream's versions and prev links follow each other."""
    last = {}
    for position, one in enumerate(records, 1):
        version, prev = last.get(one.stream, (0, 0))
        assert (one.position, one.version, one.prev) == (position, version + 1, prev)
        last[one.stream] = (one.version, one.position)
    return last


async def all_of(store):
    return await store.read("test", 0, 100_000)


class TestGroup:
    async def test_conflict_reuse_closing_and_misuse_touch_nobody_else(self, database):
        heard = []
        async with opened(database(prepare=prepare).app_url, heard=lambda *told: heard.append(told)) as store:
            used = uuid7()
            await store.append("test", "a:1", 0, [fact()], used, b"h")
            await store.append_all("test", [StreamFacts(stream="c:1", expected=0, facts=[fact()], closes=True)])
            asked = [
                store.append("test", "n:1", 0, [fact(), fact()], uuid7(), b"h"),
                store.append("test", "a:1", 0, [fact()], uuid7(), b"h"),
                store.append("test", "n:2", 0, [fact()], used, b"other"),
                store.append("test", "n:3", 0, [fact()], used, b"h"),
                store.append("test", "c:1", 1, [fact()], uuid7(), b"h"),
                store.append("test", "n:4", 0, [fact()]),
            ]
            told = await asyncio.gather(*asked, return_exceptions=True)
            kinds = [type(one).__name__ for one in told]
            assert kinds == ["Appended", "Conflict", "KeyReused", "Appended", "StreamClosed", "Appended"]
            assert (told[3].first, told[3].replayed) == (1, True)
            assert {told[0].last - told[0].first, told[5].last - told[5].first} == {0, 1}
            # A fact that the tables refuse fails the statement; those who travelled with it go on alone.
            told = await asyncio.gather(
                store.append("test", "with blanks", 0, [fact()], uuid7(), b"h"),
                *(store.append("test", f"m:{number}", 0, [fact()]) for number in range(3)),
                return_exceptions=True,
            )
            assert type(told[0]) is EventStoreError
            assert sorted(one.last for one in told[1:]) == [6, 7, 8]
            assert set(chained(await all_of(store))) == {"a:1", "c:1", "n:1", "n:4", "m:0", "m:1", "m:2"}
            assert heard[-1] == ("test", 8)

    async def test_who_waits_for_its_own_stream_is_not_overtaken(self, database):
        async with opened(database(prepare=prepare).app_url) as store:
            done = await asyncio.gather(*(store.append("test", "a:1", version, [fact()]) for version in range(40)))
            assert [one.last for one in done] == list(range(1, 41))

    async def test_a_caller_that_gave_up_before_it_was_sent_has_appended_nothing(self, database):
        async with opened(database(prepare=prepare).app_url) as store:
            await store.append("test", "a:1", 0, [fact()])
            first = asyncio.create_task(store.append("test", "a:1", 1, [fact()]))
            await asyncio.sleep(0)
            gone = asyncio.create_task(store.append("test", "a:1", 2, [fact()]))
            await asyncio.sleep(0)
            gone.cancel()
            await first
            await asyncio.gather(gone, return_exceptions=True)
            await store.append("test", "a:1", 2, [fact()])
            assert await store.head("test") == 3

    async def test_races_of_processes_leave_no_gap_and_nothing_twice(self, database):
        url = database(prepare=prepare).app_url
        command = [sys.executable, "-c", PROCESS, url, str(TESTS)]
        others = [asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, check=True) for _ in range(2)]
        # Two engines of this process are two connections that know nothing of each other's groups.
        *told, one, two = await asyncio.gather(*others, race(url), race(url))
        written = one + two + sum(int(other.stdout) for other in told)
        async with opened(url) as store:
            records = await all_of(store)
        assert len(records) == written >= EACH
        assert set(chained(records)) == {"s:0", "s:1", "s:2"}


class TestLoss:
    async def test_a_killed_backend_loses_nothing_acknowledged_and_doubles_nothing(self, database):
        made = database(prepare=prepare)
        async with (
            opened(made.app_url) as store,
            await psycopg.AsyncConnection.connect(made.superuser_url, autocommit=True) as other,
        ):
            acknowledged, in_doubt, kills = {}, set(), 0
            stop = asyncio.Event()

            async def write(number):
                version = 0
                while not stop.is_set():
                    # Every third appends without an id, so nobody may repeat it.
                    name, command = f"s:{number}:{version}", uuid7() if number % 3 else None
                    version += 1
                    try:
                        acknowledged[name] = await store.append("test", name, 0, [fact()], command, b"h")
                    except Unavailable:
                        in_doubt.add(name)

            writers = [asyncio.create_task(write(number)) for number in range(12)]
            while kills < 4:
                had = len(acknowledged)
                while len(acknowledged) < had + 40:
                    await asyncio.sleep(0)
                    for one in writers:
                        assert not one.done() or one.exception() is None
                found = await other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s AND state = 'active' AND pid <> pg_backend_pid()",
                    (made.name,),
                )
                kills += found.rowcount
            stop.set()
            await asyncio.gather(*writers)
            records = {one.stream: one for one in await all_of(store)}
            assert len(records) == await store.head("test")
            chained(await all_of(store))
            # Every acknowledged fact stands where its writer was told, and what was in doubt stands once or not at all.
            assert all(records[name].position == done.first for name, done in acknowledged.items())
            assert records.keys() - acknowledged.keys() <= in_doubt
            assert in_doubt.isdisjoint(acknowledged)

    @pytest.mark.parametrize("command", [True, False])
    async def test_a_connection_that_died_while_idle_costs_nobody_an_append(self, database, command):
        made = database(prepare=prepare)
        async with opened(made.app_url) as store:
            await store.append("test", "a:1", 0, [fact()])
            with psycopg.connect(made.superuser_url, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                    " WHERE datname = %s AND pid <> pg_backend_pid()",
                    (made.name,),
                )
            done = await store.append("test", "a:1", 1, [fact()], uuid7() if command else None, b"h")
            assert (done.last, done.replayed) == (2, False)

    async def test_a_ledger_locked_for_long_is_unavailable_for_all_who_wait(self, database):
        made = database(prepare=prepare)
        async with opened(made.app_url) as store:
            with psycopg.connect(made.superuser_url) as other:
                other.execute("UPDATE es.ledger SET head = head WHERE ledger = 'test'")
                told = await asyncio.gather(
                    *(store.append("test", f"s:{number}", 0, [fact()], uuid7(), b"h") for number in range(3)),
                    return_exceptions=True,
                )
                assert [type(one) for one in told] == [Unavailable] * 3
            assert (await store.append("test", "s:0", 0, [fact()])).last == 1
