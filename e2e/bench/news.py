"""How fast a ledger becomes news: the relay of single facts, telemetry in segments, and the reader behind both.

The loop is uvloop, as in a service. The ledgers are filled before; what is timed is reading, encoding, hashing and
publishing until the stream, which syncs everything to disk, has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

import uvloop
from e2e.bench import bare, facts
from e2e.bench.parts import Parts
from e2e.bench.report import Row, row

from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import NewFact
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.ids import uuid7
from letopis.common.messaging import Bus, cloudevent, stream_name
from letopis.common.observability import Metrics
from letopis.common.outbox import Relay
from letopis.common.running import end

# Facts that are there to be relayed for each second asked for; a quicker relay ends before its time.
SINGLES, TELEMETRY = 12_000, 40_000
BATCH = PAGE = 1000
IN_FLIGHT = 200
ROUNDS = 4


def measure(parts: Parts, seconds: float) -> list[Row]:
    """The rows relay, segments and reader, each beside its peer."""
    return uvloop.run(_measure(parts, seconds))


async def _measure(parts: Parts, seconds: float) -> list[Row]:
    registry = _Ledger(parts, "registry", "registry", parts.registry.app_url)
    decisions = _Ledger(parts, "inference", "decisions", parts.inference.app_url)
    table = await bare.Table.open(parts.inference.superuser_url)
    promotion, prepared = [facts.promotion() for _ in range(BATCH)], facts.decisions(BATCH)
    try:
        await registry.fill(promotion, seconds * SINGLES)
        await decisions.fill(prepared, seconds * TELEMETRY)
        relay = await registry.relayed(seconds)
        published = await _published(parts, registry, seconds)
        segments = await decisions.relayed(seconds, telemetry=True)
        for _ in range(max(round(seconds * 2), 2)):
            await table.insert_many(prepared)
        ours, peer = await _in_turn(decisions.page, table.page, seconds)
    finally:
        await table.close()
        await registry.close()
        await decisions.close()
    return [
        row("relay", relay, "facts/s", f"the same messages by js.publish, {IN_FLIGHT} in flight", published),
        row("segments", segments, "facts/s", "relay of single facts, above", relay),
        row("reader", ours, "facts/s", f"bare SELECT, {PAGE:,} rows a page", peer),
    ]


class _Ledger:
    """A ledger as its service's worker has it."""

    def __init__(self, parts: Parts, service: str, name: str, url: str) -> None:
        self.name, self._service, self._parts = name, service, parts
        self._facts, self._app = open_engine(url, size=2, autocommit=True), open_engine(url)
        self.store = PostgresEventStore(self._facts)

    async def fill(self, prepared: Sequence[NewFact], count: float) -> None:
        """Append at least so many facts, as a journal does."""
        source, place = uuid7(), 1
        while place <= count:
            await self.store.append_batch(self.name, source, place, facts.again(prepared))
            place += len(prepared)

    async def relayed(self, seconds: float, *, telemetry: bool = False) -> float:
        """Facts a second that the stream took, from the relay's start until all are there or the time is over."""
        bus = Bus(self._parts.nats_url, self._service, self._parts.seeds[self._service])
        metrics = Metrics("bench")
        source = OwnLedger(self.store, self.name, News())
        relay = Relay(source, bus, self._app, SystemClock(), metrics, telemetry)
        head, begin, position = await self.store.head(self.name), perf_counter(), 0
        working = asyncio.create_task(relay.run())
        while position < head and perf_counter() - begin < seconds:
            await asyncio.wait([working], timeout=0.02)
            if working.done():
                await working
            told = metrics.registry.get_sample_value("letopis_relay_position", {"ledger": self.name})
            position = int(told or 0)
        took = perf_counter() - begin
        await end(working)
        stream = await (await bus.jetstream()).stream_info(stream_name(self.name))
        if not stream.state.messages:
            raise RuntimeError(f"the relay of {self.name} published nothing in {took:.1f} s")
        await bus.close()
        return position / took

    async def page(self, after: int, limit: int) -> int:
        """Read a page as a projector does; how many facts it had."""
        return len(await self.store.read(self.name, after, limit))

    async def close(self) -> None:
        await self._facts.dispose()
        await self._app.dispose()


async def _published(parts: Parts, ledger: _Ledger, seconds: float) -> float:
    """Messages a second by the client alone."""
    bodies = [cloudevent(record) for record in await ledger.store.read(ledger.name, 0, IN_FLIGHT)]
    client = await bare.publisher(parts.nats_url, parts.seeds["bare"].read_text("ascii"))
    js = client.jetstream(timeout=10)
    count, begin = 0, perf_counter()
    while perf_counter() - begin < seconds:
        await asyncio.gather(*(js.publish(bare.SUBJECT, body) for body in bodies))
        count += len(bodies)
    rate = count / (perf_counter() - begin)
    await client.close()
    return rate


Page = Callable[[int, int], Awaitable[int]]


async def _in_turn(ours: Page, peer: Page, seconds: float) -> tuple[float, float]:
    """Rows a second of both; they take turns, so that a busy moment of the machine meets both."""
    counts, times, after = [0, 0], [0.0, 0.0], [0, 0]
    for _ in range(ROUNDS):
        for side, page in enumerate((ours, peer)):
            begin = perf_counter()
            while perf_counter() - begin < seconds / ROUNDS:
                full = await page(after[side], PAGE) == PAGE
                # From the start again; a page that is not full counts for nothing.
                after[side] = after[side] + PAGE if full else 0
                counts[side] += PAGE if full else 0
            times[side] += perf_counter() - begin
    return counts[0] / times[0], counts[1] / times[1]
