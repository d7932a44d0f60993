"""What a reader of a ledger needs, and how a service reads the ledgers it owns."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from letopis.common.envelope import Record
from letopis.common.eventstore.port import EventStore
from letopis.common.following.news import News


class Source(Protocol):
    """A ledger as its readers see it; readers keep their own checkpoints."""

    @property
    def ledger(self) -> str: ...

    @property
    def known(self) -> int:
        """The highest position heard of; the measure of lag."""
        ...

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        """Records after a position, contiguous from there, at most `limit`.

        None means that nothing newer is known; with `sure` the owner itself said so. Unavailable if it is away.
        """
        ...

    async def head(self) -> int:
        """The last position, by the owner's word now; Unavailable if it is away."""
        ...

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 a quiet ledger is no error
        """Return when there may be facts after a position, at the latest after `timeout` seconds."""
        ...

    def taken(self, reader: str, position: int) -> None:
        """The named reader has committed everything up to a position."""
        ...


class OwnLedger:
    """A ledger in the service's own database.

    Appends of this process are heard at once; for those of others the head is asked for, every 100 ms while the
    ledger is busy and every second while it is quiet, by one question for all readers.
    """

    def __init__(self, store: EventStore, ledger: str, news: News, *, busy: float = 0.1, quiet: float = 1.0) -> None:
        self.ledger = ledger
        self._store = store
        self._news = news
        self._busy = busy
        self._quiet = quiet
        self._pause = busy
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    @property
    def known(self) -> int:
        return self._news.last(self.ledger)

    @property
    def store(self) -> EventStore:
        """Where the ledger stands."""
        return self._store

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        """From the store; where all readers know of nothing newer, they ask together instead of each for itself."""
        if not sure and self.known <= after:
            await self._ask()
            if self.known <= after:
                return []
        records = await self._store.read(self.ledger, after, limit)
        if records:
            self._news.heard(self.ledger, records[-1].position)
        return records

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 a quiet ledger is no error
        until = monotonic() + timeout
        while (left := until - monotonic()) > 0:
            due = self._asked + self._pause - monotonic()
            if await self._news.after(self.ledger, after, max(min(due, left), 0.001)):
                return
            await self._ask()

    def taken(self, reader: str, position: int) -> None:
        """Nothing needs to be told to one's own store."""

    async def head(self) -> int:
        """Asked for now; wakes whoever waits for it."""
        head = await self._store.head(self.ledger)
        self._news.heard(self.ledger, head)
        return head

    async def _ask(self) -> None:
        async with self._asking:
            if monotonic() - self._asked < self._pause:
                return
            before, head = self.known, await self.head()
            self._asked = monotonic()
            # Found by asking means written by another process, which may write on.
            self._pause = self._busy if head > before else min(self._pause * 2, self._quiet)
