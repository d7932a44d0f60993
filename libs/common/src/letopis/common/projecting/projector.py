"""Keeps one view current: reads its ledgers, folds batch by batch, rows and checkpoint in one transaction."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import cast

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common import faults
from letopis.common.clock import Clock, SystemClock
from letopis.common.driver import Connection, driver
from letopis.common.envelope import Record
from letopis.common.errors import Conflict, LedgerHole, Unavailable
from letopis.common.following.source import Source
from letopis.common.observability import Metrics
from letopis.common.projecting import generation as generations
from letopis.common.projecting.comparing import Differences, compare
from letopis.common.projecting.folding import ViewStuck, fold
from letopis.common.projecting.generation import Generation, Held
from letopis.common.projecting.rows import Key, Row
from letopis.common.projecting.tables import StoredTable
from letopis.common.projecting.view import View, checked
from letopis.common.running import end

BATCH = 2000
# While nobody reads what is written, larger batches write each row less often.
BULK = 10_000
# So many batches of one ledger in turn, each read while the one before is folded.
RUN = 8
_log = logging.getLogger(__name__)


class Superseded(Conflict):
    """A generation that was being built was dropped or made live by somebody else."""

    code = "projecting.superseded"
    title = "Another rebuild of this view took over"


class Projector:
    """The worker of one view. Two at once are harmless: the checkpoint is compared and set.

    A generation that readers do not use yet is fed by the ledgers' owners, who alone can say that it has come to
    the end. It is built up to where the live one stands, compared with it there (`judge` may raise, so that it is not
    made live), brought to the end and made live. Facts are truth and views are not, so commits do not wait for the
    disk: a crash of the database takes rows and checkpoint back together.
    """

    def __init__(
        self,
        view: type[View] | View,
        sources: Mapping[str, Source],
        engine: AsyncEngine,
        *,
        metrics: Metrics | None = None,
        clock: Clock | None = None,
        batch: int = 0,
        generation: Generation | None = None,
        judge: Callable[[Differences], None] | None = None,
    ) -> None:
        self.view = checked(view)
        self._sources = {ledger: sources[ledger] for ledger in self.view.sources}
        self._engine = engine
        self._clock = clock or SystemClock()
        self._batch = batch
        self._generation = generation
        self._pinned = generation is not None
        self._judge = judge
        self.compared: Differences | None = None
        # Where the live generation stands, beyond which one that is being built does not go before it is compared.
        self._bound: dict[str, int] | None = None
        self._tables: dict[Table, StoredTable] = {}
        # Nobody else has written into what is being built.
        self._alone = False
        self._positions: dict[str, int] = {}
        # Where the owners said that their ledgers end; asked once, else a busy ledger would never be at its end.
        self._heads: dict[str, int] = {}
        self._told_at: dict[str, datetime] = {}
        self._ended: set[str] = set()
        self.away: set[str] = set()
        metrics = metrics or Metrics("projector")
        self._lag = metrics.gauge("view_lag_events", "Facts heard of that the view has not taken", ("view", "ledger"))
        self._late = metrics.gauge(
            "view_lag_seconds", "Age of the last fact taken while there are more", ("view", "ledger")
        )
        self._stuck = metrics.gauge("view_stuck", "1 while the view cannot take a fact", ("view",))
        self._differing = metrics.gauge("view_differences", "Rows that a new generation told otherwise", ("view",))
        self._taken = metrics.counter("view_facts", "Facts the view has gone through", ("view", "ledger"))

    @property
    def live(self) -> bool:
        """Whether readers use what this projector writes."""
        return self._generation is not None and self._generation.answers

    @property
    def settled(self) -> bool:
        """Whether what is built has been compared, or has nothing to be compared with."""
        return self._generation is not None and self._generation.state == "catching_up" and self._bound is None

    async def run(self) -> None:
        """Keep the view current for ever; raises ViewStuck, LedgerHole, Unavailable for whoever restarts it."""
        while True:
            if not await self.step():
                await self._news()

    async def step(self) -> int:
        """Go through one batch of every ledger; how many facts that were. 0 at the end of all that are not away."""
        if not self._positions:
            await self._open()
        count, self.away = 0, set()
        for ledger, source in self._sources.items():
            try:
                count += await self._advance(source, ledger)
            except Unavailable:
                # Other ledgers go on; the lag of this one shows.
                self.away.add(ledger)
        if self.away == self._sources.keys():
            raise Unavailable(f"no ledger of view {self.view.name} can be read")
        if not self.live and self._ended == self._sources.keys():
            await self._finish()
        self._measure()
        return count

    async def _advance(self, source: Source, ledger: str) -> int:
        """A batch; while building a run of them, each read while the one before is folded."""
        count, taken, ahead = 0, 0, None
        try:
            while taken < (1 if self.live else RUN):
                after = self._positions[ledger]
                limit = self._limit(ledger, after)
                if limit <= 0 or (not self.live and after >= await self._goal(ledger, source)):
                    self._ended.add(ledger)
                    break
                records = await (ahead or source.read(after, limit, sure=not self.live))
                ahead = None
                if not records:
                    self._ended.add(ledger)
                    break
                faults.point("view.read")
                _contiguous(records, ledger, after)
                last = records[-1]
                if not self.live and len(records) == limit and (more := self._limit(ledger, last.position)) > 0:
                    ahead = asyncio.create_task(_read(source, last.position, more))
                moved = await self._take(ledger, after, records)
                faults.point("view.committed")
                if not moved:
                    if ahead is not None:
                        await end(ahead)
                        ahead = None
                    await self._open()
                    continue
                count, taken = count + len(records), taken + 1
                self._positions[ledger] = last.position
                self._told_at[ledger] = last.recorded_at
                self._taken.labels(self.view.name, ledger).inc(len(records))
                source.taken(self.view.name, last.position)
        finally:
            if ahead is not None:
                await end(ahead)
        return count

    def _limit(self, ledger: str, after: int) -> int:
        """How many facts the next batch may have."""
        size = self._batch or (BATCH if self.live else BULK)
        return size if self._bound is None else min(size, self._bound.get(ledger, after + size) - after)

    async def _goal(self, ledger: str, source: Source) -> int:
        """How far what readers do not use yet has to come, before the next step to its being live."""
        if self._bound is not None and ledger in self._bound:
            return self._bound[ledger]
        if ledger not in self._heads:
            self._heads[ledger] = await source.head()
        return self._heads[ledger]

    async def _take(self, ledger: str, after: int, records: Sequence[Record]) -> bool:
        """Apply a batch; where a fact in it cannot be taken, what stands before it is."""
        try:
            moved = await self._apply(ledger, after, records)
        except ViewStuck as stuck:
            self._stuck.labels(self.view.name).set(1)
            before = [record for record in records if record.position < stuck.position]
            if before and await self._apply(ledger, after, before):
                self._positions[ledger] = before[-1].position
            raise
        self._stuck.labels(self.view.name).set(0)
        return moved

    async def _apply(self, ledger: str, after: int, records: Sequence[Record]) -> bool:
        """Rows and checkpoint in one transaction; False if somebody else moved the checkpoint or the view."""
        done = False
        try:
            async with self._connection() as connection, connection.transaction():
                moved = await self._write(connection, ledger, after, records)
            done = moved
        finally:
            for stored in self._tables.values():
                stored.settle(committed=done)
        return moved

    async def _write(self, connection: Connection, ledger: str, after: int, records: Sequence[Record]) -> bool:
        generation = cast("Generation", self._generation)
        await connection.execute("SET LOCAL synchronous_commit = off")
        stand = await generations.stand(connection, generation)
        if stand is None or stand[0][ledger] != after or stand[1] != generation.state:
            return False
        if self._alone and stand[0] != self._positions:
            return False

        async def load(table: Table, keys: Sequence[Key]) -> dict[Key, Row]:
            return await self._tables[table].load(connection, keys)

        faults.point("view.locked")
        rows = await fold(self.view, records, load)
        faults.point("view.folded")
        for table, change in rows.changes().items():
            await self._tables[table].write(connection, change)
        faults.point("view.written")
        return await generations.advance(connection, generation, ledger, after, records[-1].position)

    async def _open(self) -> None:
        """Find the generation to work on, or start one; learn where it stands."""
        async with self._connection(prepared=False) as connection:
            if self._generation is None or not await generations.same(connection, self._generation):
                if self._pinned:
                    raise Superseded(f"what was built of {self.view.name} is gone: somebody else rebuilt it meanwhile")
                self._generation = await generations.open_or_start(connection, self.view)
            self._positions = await generations.positions(connection, self._generation)
            # Whoever else writes moves a position, which is seen before the next batch.
            self._alone = not self.live and not any(self._positions.values())
            self._tables = {
                table: StoredTable(self._generation.schema, table, alone=self._alone) for table in self.view.tables()
            }
            if not self.live and self.compared is None:
                live = await generations.live_of(connection, self.view)
                self._bound = None if live is None else await generations.positions(connection, live)
        self._ended.clear()
        self._heads.clear()
        for ledger, position in self._positions.items():
            self._sources[ledger].taken(self.view.name, position)

    async def _finish(self) -> None:
        """All ledgers have come to their end: indexes, the comparison, one more look, then the swap."""
        generation = cast("Generation", self._generation)
        if generation.state == "building":
            async with self._connection() as connection:
                if await generations.index(connection, self.view, generation):
                    faults.point("view.indexed")
                    self._generation = generation.in_state("catching_up")
        elif self._bound is not None:
            await self._compare()
            faults.point("view.compared")
        else:
            await self.take_over()
        await self._open()

    async def take_over(self) -> bool:
        """Make this generation live, brought to where the live one stands; False if it is not what it was."""
        generation = cast("Generation", self._generation)
        async with self._beside() as (holding, held):
            if held is None or not await generations.swap(holding, self.view, generation):
                return False
        faults.point("view.swapped")
        self._generation = generation.in_state("live")
        _log.info("view is live", extra={"view": self.view.name, "version": self.view.version})
        return True

    async def _compare(self) -> None:
        """Compare with the live one in one snapshot of the database, so that both may go on meanwhile."""
        generation = cast("Generation", self._generation)
        async with AsyncExitStack() as snapshot:
            async with self._beside() as (_, held):
                if held is None or held.live is None:
                    self._bound = None
                    return
                connection = await snapshot.enter_async_context(self._connection(prepared=False))
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                snapshot.push_async_callback(connection.execute, "ROLLBACK")
                # The first statement takes the snapshot; from here on the live view may go on.
                await connection.execute("SELECT FROM projecting.checkpoint LIMIT 1")
            told = await compare(connection, self.view, held.live, generation, held.positions)
        self._bound, self.compared = None, told
        self._differing.labels(self.view.name).set(told.count)
        _log.log(
            logging.INFO if told.expected or not told.count else logging.WARNING,
            "a view was compared with the live one",
            extra={
                "view": told.view,
                "live": told.live,
                "new": told.new,
                "rows": told.count,
                "expected": told.expected,
            },
        )
        if self._judge is not None:
            self._judge(told)

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator[tuple[Connection, Held | None]]:
        """The live generation is held where it stands, in a transaction, and this one brought there."""
        generation = cast("Generation", self._generation)
        async with self._connection(prepared=False) as holding, holding.transaction():
            held = await generations.hold(holding, self.view, generation)
            bound, self._bound = self._bound, held.positions if held else None
            try:
                for ledger in self._sources.keys() & (held.positions if held else {}):
                    while self._limit(ledger, self._positions[ledger]) > 0:
                        moved = await self._advance(self._sources[ledger], ledger)
                        if not moved and self._limit(ledger, self._positions[ledger]) > 0:
                            raise Unavailable(f"{ledger} cannot be read to where the live view stands")
            finally:
                self._bound = bound
            yield holding, held

    async def _news(self) -> None:
        # A ledger whose owner is away is asked again later, whatever is heard of it.
        waits = [
            asyncio.create_task(source.wait(self._positions.get(ledger, 0), 1.0 if self.live else 0.1))
            for ledger, source in self._sources.items()
            if ledger not in self.away
        ]
        if self.away:
            waits.append(asyncio.create_task(asyncio.sleep(1.0)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _measure(self) -> None:
        now = self._clock.now()
        for ledger, position in self._positions.items():
            lag = max(self._sources[ledger].known - position, 0)
            self._lag.labels(self.view.name, ledger).set(lag)
            told_at = self._told_at.get(ledger, now)
            self._late.labels(self.view.name, ledger).set((now - told_at).total_seconds() if lag else 0)

    @asynccontextmanager
    async def _connection(self, *, prepared: bool = True) -> AsyncIterator[Connection]:
        """The driver's own connection, because COPY is not SQLAlchemy's; temporary tables are made once on each."""
        async with driver(self._engine) as (connection, made):
            for table in self._tables.values() if prepared else ():
                if table.passage_name not in made:
                    await connection.execute(table.passage)
                    made.add(table.passage_name)
            yield connection


def _contiguous(records: Sequence[Record], ledger: str, after: int) -> None:
    """A hole is tampering or loss: stop and alarm, never skip."""
    for expected, record in enumerate(records, after + 1):
        if record.position != expected or record.ledger != ledger:
            raise LedgerHole(f"{ledger}/{expected} is missing", ledger=ledger, position=expected)


async def _read(source: Source, after: int, limit: int) -> Sequence[Record]:
    return await source.read(after, limit, sure=True)
