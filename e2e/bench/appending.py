"""Appending, beside a bare INSERT and beside the `eventsourcing` library: the same bytes, the same server, in turns."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from time import perf_counter

from e2e.bench import bare, facts, library
from e2e.bench.parts import Parts
from e2e.bench.report import Row, row

from letopis.common.database import open_engine
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import uuid7

WRITERS, BATCH, AHEAD = 16, 100, 50
ROUNDS = 4
INSERT = "one durable INSERT per fact"
MANY = f"INSERT of {BATCH} rows in one commit"
Work = Callable[[], Awaitable[object]]
# What is done for so many seconds; how many facts it appended.
Side = Callable[[float], Awaitable[int]]


async def measure(parts: Parts, seconds: float) -> list[Row]:
    """`append 1 writer`, `append 16 writers` and `batch 100`, each beside both peers; sides last `seconds` each."""
    rows = []
    for writers in (1, WRITERS):
        work = f"append {writers} writer{'s' * (writers > 1)}"
        rows += await _appended(parts, work, writers, seconds)
    return [*rows, *await _batched(parts, seconds)]


async def _appended(parts: Parts, work: str, writers: int, seconds: float) -> list[Row]:
    async with AsyncExitStack() as ends:
        store = await _store(parts.registry.app_url, ends)
        tables = [await _table(parts.registry.superuser_url, ends) for _ in range(writers)]
        recorder = library.Recorder(parts.registry.superuser_url, writers)
        ends.callback(recorder.close)

        async def append() -> None:
            """One fact as the first of a stream of its own, by a command of its own."""
            command_id = uuid7()
            fact = facts.promotion()
            await store.append("registry", f"promotion:{command_id}", 0, [fact], command_id, b"bench")

        async def recorded(span: float) -> int:
            return recorder.appended(span)

        inserts = [lambda table=table: table.insert(facts.promotion()) for table in tables]
        ours, insert, other = await _in_turns([_repeated([append] * writers), _repeated(inserts), recorded], seconds)
    return [
        row(work, ours, "facts/s", INSERT, insert),
        row(work, ours, "facts/s", f"{library.NAME}, {writers} thread{'s' * (writers > 1)}", other),
    ]


async def _batched(parts: Parts, seconds: float) -> list[Row]:
    prepared = facts.decisions(BATCH)
    async with AsyncExitStack() as ends:
        store = await _store(parts.inference.app_url, ends)
        table = await _table(parts.inference.superuser_url, ends)
        recorder = library.Recorder(parts.inference.superuser_url, 1)
        ends.callback(recorder.close)
        source_id, place = uuid7(), 1

        # Ids are made where a decision is, long before it is shipped; the peers make none either.
        ready = cycle([facts.again(prepared) for _ in range(AHEAD)])

        async def append() -> None:
            """Facts of a journal that goes on."""
            nonlocal place
            await store.append_batch("decisions", source_id, place, next(ready))
            place += len(prepared)

        async def insert() -> None:
            await table.insert_many(prepared)

        async def record() -> None:
            recorder.append_many(prepared)

        sides = [_repeated([one], BATCH) for one in (append, insert, record)]
        ours, inserted, other = await _in_turns(sides, seconds)
    return [
        row(f"batch {BATCH}", ours, "facts/s", MANY, inserted),
        row(f"batch {BATCH}", ours, "facts/s", f"{library.NAME}, {BATCH} events a call", other),
    ]


async def _in_turns(sides: Sequence[Side], seconds: float) -> list[float]:
    """Facts a second of each side; they take turns, so that a busy minute of the machine meets all."""
    counts, times = [0] * len(sides), [0.0] * len(sides)
    for side in sides:
        await side(0)
    for _ in range(ROUNDS):
        for place, side in enumerate(sides):
            begin = perf_counter()
            counts[place] += await side(seconds / ROUNDS)
            times[place] += perf_counter() - begin
    return [count / took for count, took in zip(counts, times, strict=True)]


def _repeated(works: Sequence[Work], each: int = 1) -> Side:
    """All works at once, each again and again until the time is over, once at least."""

    async def side(span: float) -> int:
        until = perf_counter() + span

        async def repeat(work: Work) -> int:
            count = 0
            while not count or perf_counter() < until:
                await work()
                count += 1
            return count

        return each * sum(await asyncio.gather(*map(repeat, works)))

    return side


async def _store(url: str, ends: AsyncExitStack) -> PostgresEventStore:
    engine = open_engine(url, autocommit=True)
    ends.push_async_callback(engine.dispose)
    return PostgresEventStore(engine)


async def _table(url: str, ends: AsyncExitStack) -> bare.Table:
    table = await bare.Table.open(url)
    ends.push_async_callback(table.close)
    return table
