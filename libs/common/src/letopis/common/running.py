"""What works beside the API of a service: named parts in one event loop, each restarted with back-off when it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import random
from time import monotonic
from typing import Any

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.observability import Metrics

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
# A part that worked this long has recovered; its next failure starts with a short pause again.
SETTLED = 30.0
INSIST = 1.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """One named part and how it fares."""

    name: str
    work: Callable[[], Awaitable[None]]
    state: str = "starting"
    restarts: int = 0
    error: str = ""


@dataclass(slots=True)
class Parts:
    """All parts of a process, listed by hand in its worker.py."""

    metrics: Metrics
    parts: list[Part] = field(default_factory=list)

    def add(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """`work` is called to start the part and again after each failure; it MUST run until cancelled."""
        self.parts.append(Part(name, work))

    def health(self) -> dict[str, Any]:
        """State, restarts and the kind of the last error, by name."""
        return {part.name: {"state": part.state, "restarts": part.restarts, "error": part.error} for part in self.parts}

    async def run(self) -> None:
        """Work until cancelled; a part that fails does not disturb the others."""
        restarts = self.metrics.counter(
            "part_restarts", "Failures of a part, after each of which it began again", ("part",)
        )
        tasks = [asyncio.create_task(self._keep(part, restarts), name=part.name) for part in self.parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            await end(*tasks)

    async def _keep(self, part: Part, restarts: Any) -> None:
        pause = FIRST_PAUSE
        while True:
            began = monotonic()
            part.state = "working"
            try:
                await part.work()
                part.error = "ended"
            except Exception as error:  # noqa: BLE001 whatever ends a part, it begins again and says why
                part.error = _kind(error)
                level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
                _log.log(level, "a part failed and begins again", extra={"part": part.name}, exc_info=error)
            part.state = "waiting"
            part.restarts += 1
            restarts.labels(part.name).inc()
            pause = FIRST_PAUSE if monotonic() - began > SETTLED else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause * (0.5 + random() / 2))  # noqa: S311 spread restarts, no secret


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended, however that is.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which NATS clients and database drivers stand on,
    loses a cancellation that comes together with the result.
    """
    cancelled = False
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=INSIST)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def _kind(error: Exception) -> str:
    return f"{error.code}: {error.detail}" if isinstance(error, LetopisError) else type(error).__name__
