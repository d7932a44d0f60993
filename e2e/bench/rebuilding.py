"""Building a view again from all its facts while the live one answers, beside the `eventsourcing` library's projection.

The facts are decisions as scoring records them, in one ledger; the view is inference's own index of them. Both sides
read the same bytes from the same server, decode them, and keep the same columns.
"""

import asyncio
import os
from collections.abc import Awaitable
from time import perf_counter

import psycopg
import uvloop
from e2e.bench import facts, library
from e2e.bench.parts import Parts
from e2e.bench.report import Row, row
from sqlalchemy import select

from letopis.common.database import open_engine
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.ids import uuid7
from letopis.common.projecting import Projector, ViewReader
from letopis.common.projecting.rebuild import Rebuilt, rebuild_compared
from letopis.common.running import end
from letopis.inference.decision.views import DecisionIndex

LEDGER, PAGE = "decisions", 1000
# What the issue asks for, from four seconds a row on; a tiny run takes less.
FACTS, TINY, FULL = 1_000_000, 10_000, 4
PATIENCE = 120
# The facts appended last again and again under new ids: what a journal of the same consumers would have sent.
_MULTIPLY = """
    INSERT INTO es.event
    SELECT ledger, position + n * k, stream, version + n * k, prev + n * k, gen_random_uuid(), type, schema_version,
        recorded_at, command_id, salt, data, meta
    FROM es.event, (SELECT %(page)s::bigint AS n) AS page, generate_series(1, %(times)s) AS k
    WHERE ledger = 'decisions' AND position > %(after)s"""


def measure(parts: Parts, seconds: float) -> list[Row]:
    """The rows `rebuild`, `rebuild, one process` and `live view lag`."""
    return uvloop.run(_measure(parts, seconds))


async def _measure(parts: Parts, seconds: float) -> list[Row]:
    inference = parts.inference
    reading = open_engine(inference.app_url, size=3, autocommit=True)
    asking, writing = open_engine(inference.app_url, size=2), open_engine(inference.projector_url, size=4)
    store = PostgresEventStore(reading)
    try:
        await _fill(inference.superuser_url, store, FACTS if seconds >= FULL else TINY)
        sources = {LEDGER: OwnLedger(store, LEDGER, News())}
        begin, head = perf_counter(), await store.head(LEDGER)
        projector = Projector(DecisionIndex, sources, writing)
        while not projector.live:
            await projector.step()
        first = head / (perf_counter() - begin)
        running = asyncio.create_task(projector.run())
        clock = _LiveView(store, ViewReader(asking))
        quiet = await clock.during(asyncio.sleep(min(seconds, 5)))
        begin, done = perf_counter(), list[Rebuilt]()

        async def again() -> None:
            processes = len(os.sched_getaffinity(0))
            done.append(await rebuild_compared(DecisionIndex, sources, writing, processes=processes))

        busy = await clock.during(again())
        rebuilt = done[0].facts / (perf_counter() - begin)
        if not done[0].live or done[0].differences is None or done[0].differences.count:
            raise RuntimeError("the view that was built again is not what the live one was")
        await end(running)
        peer = await asyncio.to_thread(_peer, inference.superuser_url, seconds)
    finally:
        for engine in (reading, asking, writing):
            await engine.dispose()
    name = f"{library.NAME}: its notifications into a table, a commit an event"
    return [
        row("rebuild", rebuilt, "facts/s", name, peer),
        row("rebuild, one process", first, "facts/s", name, peer),
        row("live view lag", busy, "ms", "the same with no rebuild, longest of all", quiet),
    ]


async def _fill(url: str, store: PostgresEventStore, count: int) -> None:
    """Append a page of decisions, and then the same again by the thousand until the ledger has so many facts."""
    prepared = facts.decisions(PAGE)
    last = (await store.append_batch(LEDGER, uuid7(), 1, prepared)).last
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        if times := max((count - last) // PAGE, 0):
            await connection.execute(_MULTIPLY, {"page": PAGE, "times": times, "after": last - PAGE})
            await connection.execute("UPDATE es.ledger SET head = head + %s WHERE ledger = %s", (times * PAGE, LEDGER))
        await connection.execute("VACUUM ANALYZE es.event")


class _LiveView:
    """Appends facts and waits until the live view answers with them, one after another."""

    def __init__(self, store: PostgresEventStore, views: ViewReader) -> None:
        self._store, self._views = store, views

    async def during(self, work: Awaitable[object]) -> float:
        """The longest time in ms from a fact's being durable to an answer that has it, while work goes on."""
        longest, working = 0.0, asyncio.ensure_future(work)
        while not working.done() or not longest:
            (fact,) = facts.decisions(1)
            last = (await self._store.append_batch(LEDGER, uuid7(), 1, [fact])).last
            begin = perf_counter()
            await self._views.wait(DecisionIndex, {LEDGER: last}, PATIENCE)
            table = DecisionIndex.table
            if not await self._views.rows(DecisionIndex, select(table).where(table.c.decision_id == fact.event_id)):
                raise RuntimeError("the live view does not answer with what it has taken")
            longest = max(longest, perf_counter() - begin)
            await asyncio.sleep(0.05)
        await working
        return longest * 1000


def _peer(url: str, seconds: float) -> float:
    projection = library.Projection(url, facts.decisions(PAGE))
    try:
        return projection.folded(seconds)
    finally:
        projection.close()
