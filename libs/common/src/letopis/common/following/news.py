"""The highest position heard of in each ledger, and a place to wait for more."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class News:
    """Shared by the stores, feeds, relays and projectors of one process; one event loop is its lock."""

    _last: dict[str, int] = field(default_factory=dict)
    _waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = field(default_factory=dict)

    def heard(self, ledger: str, last: int) -> None:
        """The ledger has facts up to `last`; wakes whoever waits for that."""
        if last <= self.last(ledger):
            return
        self._last[ledger] = last
        waiting = self._waiting.pop(ledger, [])
        for after, future in waiting:
            if after >= last:
                self._waiting.setdefault(ledger, []).append((after, future))
            elif not future.done():
                future.set_result(None)

    def last(self, ledger: str) -> int:
        """The highest position heard of, 0 for none."""
        return self._last.get(ledger, 0)

    async def after(self, ledger: str, position: int, timeout: float) -> bool:  # noqa: ASYNC109 a quiet ledger is no error
        """Wait for facts after a position, at most `timeout` seconds; whether there are any."""
        if self.last(ledger) > position:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (position, future)
        self._waiting.setdefault(ledger, []).append(entry)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            return False
        else:
            return True
        finally:
            left = self._waiting.get(ledger, [])
            if entry in left:
                left.remove(entry)
