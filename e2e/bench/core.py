"""The event core on durable parts: appending, reading, relaying and rebuilding, beside the bare way.

Both sides get the same finished bytes, take turns on the same server, and are durable when they answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from e2e.bench import bare, facts, news
from e2e.bench.parts import Parts, running
from e2e.bench.report import Row, row

from letopis.common.database import open_engine
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.ids import uuid7
from letopis.common.projecting.rebuild import rebuild
from letopis.inference.decision.views import DecisionIndex

WRITERS, BATCH = 16, 100
INSERT = "one durable INSERT per fact"
FLOOR = 20_000
ROUNDS = 4
Works = Sequence[Callable[[], Awaitable[object]]]


def measure(seconds: float = 4) -> list[Row]:
    """All rows; every timed stretch lasts about `seconds`, peers as long."""
    with running() as parts:
        rows = asyncio.run(_measure(parts, seconds))
        return [*rows[:-1], *news.measure(parts, seconds), rows[-1]]


async def _measure(parts: Parts, seconds: float) -> list[Row]:
    registry = Ledger(parts.registry.app_url, "registry", size=WRITERS)
    decisions = Ledger(parts.inference.app_url, "decisions", size=2)
    tables = [await bare.Table.open(parts.registry.superuser_url) for _ in range(WRITERS)]
    batched = await bare.Table.open(parts.inference.superuser_url)
    try:
        rows = []
        for writers in (1, WRITERS):
            appending, inserting = [registry.append] * writers, [_inserting(table) for table in tables[:writers]]
            ours, peer = await _versus(appending, inserting, seconds)
            rows.append(row(f"append {writers} writer{'s' * (writers > 1)}", ours, "facts/s", INSERT, peer))
        prepared = facts.decisions(BATCH)
        inserting = [lambda: batched.insert_many(prepared)]
        ours, peer = await _versus([decisions.batches(prepared)], inserting, seconds, BATCH)
        rows.append(row(f"batch {BATCH}", ours, "facts/s", f"INSERT of {BATCH} rows in one commit", peer))
        rows.append(await _rebuilt(parts, decisions))
        return rows
    finally:
        for table in (*tables, batched):
            await table.close()
        await registry.engine.dispose()
        await decisions.engine.dispose()


class Ledger:
    """One ledger and its store."""

    def __init__(self, url: str, name: str, size: int) -> None:
        self.engine = open_engine(url, size=size, autocommit=True)
        self.news = News()
        self.store = PostgresEventStore(self.engine, heard=self.news.heard)
        self.name = name
        self.source = OwnLedger(self.store, name, self.news)

    async def append(self) -> None:
        """One fact as the first of a stream of its own, by a command of its own."""
        command_id = uuid7()
        await self.store.append(self.name, f"promotion:{command_id}", 0, [facts.promotion()], command_id, b"bench")

    def batches(self, prepared: list) -> Callable[[], Awaitable[None]]:
        """Appends the facts again and again under new ids, as a journal that goes on."""
        source_id, place = uuid7(), 1

        async def append() -> None:
            nonlocal place
            await self.store.append_batch(self.name, source_id, place, facts.again(prepared))
            place += len(prepared)

        return append


async def _versus(ours: Works, peers: Works, seconds: float, each: int = 1) -> tuple[float, float]:
    """Facts a second of both sides; they take turns, so that a busy minute of the machine meets both."""
    counts, times = [0, 0], [0.0, 0.0]
    for work in (*ours, *peers):
        await work()
    for _ in range(ROUNDS):
        for side, works in enumerate((ours, peers)):
            begin = perf_counter()
            counts[side] += each * await _repeated(works, begin + seconds / ROUNDS)
            times[side] += perf_counter() - begin
    return counts[0] / times[0], counts[1] / times[1]


async def _repeated(works: Works, until: float) -> int:
    """How often all works together were done until the time; each repeats its own."""

    async def repeat(work: Callable[[], Awaitable[object]]) -> int:
        count = 0
        while perf_counter() < until:
            await work()
            count += 1
        return count

    return sum(await asyncio.gather(*map(repeat, works)))


def _inserting(table: bare.Table) -> Callable[[], Awaitable[None]]:
    return lambda: table.insert(facts.promotion())


async def _rebuilt(parts: Parts, ledger: Ledger) -> Row:
    """A view of inference from all its decisions, made live."""
    engine = open_engine(parts.inference.projector_url, size=2)
    begin = perf_counter()
    count = await rebuild(DecisionIndex, {ledger.name: ledger.source}, engine)
    took = perf_counter() - begin
    await engine.dispose()
    return row("rebuild", count / took, "facts/s", "the architecture's floor on two cores", FLOOR)
