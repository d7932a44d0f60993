"""Views in tests: live from the start, and brought up to date between two requests with one reading for all of them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from letopis.common import migrating
from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import Record
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.projecting import Projector, View


def aside(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end on a loop of its own, for what makes a database while the test's own loop is running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@cache
def live_views(service: str, views: tuple[type[View], ...]) -> Callable[[Any], None]:
    """What makes a service's database, for the fixture `database`: migrated, each view live and empty."""

    async def build(url: str) -> None:
        engine, empty = open_engine(url), MemoryEventStore(SystemClock())
        for view in views:
            projector = Projector(view, {one: OwnLedger(empty, one, News()) for one in view.sources}, engine)
            while not projector.live:
                await projector.step()
        await engine.dispose()

    def prepare(database: Any) -> None:
        migrating.upgrade(service, database.owner_url, database.app_url, database.projector_url)
        aside(build(database.projector_url))

    return prepare


class SharedLedger(OwnLedger):
    """As far as it reached when it was last asked; what one reader read, the others get without asking."""

    _end = 0
    _read: dict[tuple[int, int], Sequence[Record]] | None = None

    async def look(self) -> None:
        """Ask where the ledger ends now."""
        end = await self.head()
        if end != self._end:
            self._end, self._read = end, {}

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        if after >= self._end:
            return ()
        known = self._read = {} if self._read is None else self._read
        if (after, limit) not in known:
            known[after, limit] = await super().read(after, limit, sure=sure)
        return known[after, limit]


async def settle(projectors: Sequence[Projector], ledgers: Sequence[SharedLedger]) -> None:
    """Every view is live and has every fact that the ledgers have now."""
    for ledger in ledgers:
        await ledger.look()
    for projector in projectors:
        while await projector.step() or not projector.live:
            pass
