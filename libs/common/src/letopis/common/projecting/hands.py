"""Building a view by several processes at once, where its facts fall into shares that touch no common row.

Each process reads its share of a ledger, folds it and copies rows into the tables of one generation, which nobody may
find before all of them are done. `python -m letopis.common.projecting.hands` is one of them; its task comes on stdin.
"""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import open_engine
from letopis.common.driver import driver
from letopis.common.envelope import Record
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.eventstore.records import select
from letopis.common.following.source import OwnLedger, Source
from letopis.common.projecting.folding import fold
from letopis.common.projecting.tables import StoredTable
from letopis.common.projecting.view import View, checked
from letopis.common.running import end

# Below so many facts, starting processes takes longer than it saves.
MANY = 100_000
BULK = 10_000
# Folding makes many objects and hardly a cycle: looking for cycles every 700 of them costs a fifth of the time.
RARELY = 100_000
_SHARE = {
    "fact": "position %% {of} = {place}",
    "stream": "(hashtext(stream)::bigint + 2147483648) %% {of} = {place}",
}


class HandsFailed(Unavailable):
    code = "projecting.hands"
    title = "A process that helped to build a view failed; see the log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One share of the facts up to a position, and where its rows belong."""

    view: str
    ledger: str
    until: int
    schema: str
    facts_url: str
    rows_url: str
    place: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What is divided: a ledger up to a position, and the engine that reads it."""

    ledger: str
    until: int
    engine: AsyncEngine


async def engine_of(view: View, source: Source, until: int) -> AsyncEngine | None:
    """Where processes may read the facts; None if one alone has to build the view, or does so sooner."""
    store = source.store if isinstance(source, OwnLedger) else None
    # A view that was made for something is not found again by its name.
    if not view.shares or vars(view) or until < MANY or not isinstance(store, PostgresEventStore):
        return None
    return store.engine if await store.whole(source.ledger) else None


async def build(view: View, share_of: Shared, rows: AsyncEngine, schema: str, processes: int) -> int:
    """Fold all facts up to a position into the empty tables of a schema; how many there were."""
    kind, until = type(view), share_of.until
    tasks = [
        Task(
            view=f"{kind.__module__}:{kind.__qualname__}",
            ledger=share_of.ledger,
            until=until,
            schema=schema,
            facts_url=share_of.engine.url.render_as_string(hide_password=False),
            rows_url=rows.url.render_as_string(hide_password=False),
            place=place,
            of=processes,
        )
        for place in range(processes)
    ]
    working = [asyncio.create_task(_process(task)) for task in tasks]
    try:
        count = sum(await asyncio.gather(*working))
    finally:
        await end(*working)
    if count != until:
        raise LedgerHole(f"{until - count} facts of {share_of.ledger} are missing", ledger=share_of.ledger)
    return count


async def _process(task: Task) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        told, _ = await process.communicate(msgspec.json.encode(task))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise HandsFailed(f"share {task.place} of {task.of} of {task.view} ended with {process.returncode}")
    return int(told)


async def take(task: Task) -> int:
    """Fold one share; how many facts it had."""
    module, _, name = task.view.partition(":")
    view = checked(getattr(import_module(module), name))
    facts, rows = open_engine(task.facts_url, size=1, autocommit=True), open_engine(task.rows_url, size=1)
    tables = {table: StoredTable(task.schema, table, alone=True) for table in view.tables()}
    count = 0
    try:
        async with driver(rows) as (connection, _):
            for stored in tables.values():
                await connection.execute(stored.passage)
            async for records in _batches(view, task, facts):
                async with connection.transaction():
                    await connection.execute("SET LOCAL synchronous_commit = off")
                    folded = await fold(view, records, lambda table, keys: tables[table].load(connection, keys))
                    for table, change in folded.changes().items():
                        await tables[table].write(connection, change)
                for stored in tables.values():
                    stored.settle(committed=True)
                count += len(records)
    finally:
        await facts.dispose()
        await rows.dispose()
    return count


async def _batches(view: View, task: Task, engine: AsyncEngine) -> AsyncIterator[list[Record]]:
    """The share's facts, each batch read while the one before is folded; ends when nobody waits for the result."""
    where = "ledger = %s AND position > %s AND position <= %s AND " + _SHARE[view.shares].format(
        of=task.of, place=task.place
    )
    parent, step = os.getppid(), BULK * task.of

    async def read(after: int) -> list[Record]:
        values = task.ledger, after, min(after + step, task.until)
        return await select(engine, f"{where} ORDER BY position", values)

    ahead = asyncio.create_task(read(0))
    try:
        for after in range(0, task.until, step):
            records = await ahead
            ahead = asyncio.create_task(read(after + step))
            # So that the question is on its way before this thread is busy.
            await asyncio.sleep(0)
            if os.getppid() != parent:
                raise SystemExit("who asked for it is gone")
            if records:
                yield records
    finally:
        await end(ahead)


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage rarely meanwhile."""
    usual = gc.get_threshold()
    gc.set_threshold(RARELY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


if __name__ == "__main__":
    with few_collections():
        print(asyncio.run(take(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))))  # noqa: T201 the answer
