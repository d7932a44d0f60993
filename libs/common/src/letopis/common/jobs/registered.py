"""The jobs of one service, by name: added by who enqueues and by who works, sent by reactions, counted."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dramatiq

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.jobs.broker import AWAY, Broker
from letopis.common.observability import Metrics

Id = str | int
Job = Callable[..., Coroutine[Any, Any, None]]
# name, ids -> message id
Enqueue = Callable[..., Awaitable[str]]

EVERY = 5.0
_NAME = re.compile(r"[a-z]+\.[a-z_]+\.[a-z_]+\Z")
_log = logging.getLogger(__name__)


class JobError(LetopisError):
    """A job is registered or enqueued otherwise than it may be."""

    code = "jobs.misuse"
    title = "A job is not what was registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Jobs that wait or run, those that wait for their repetition, and dead ones."""

    waiting: int
    delayed: int
    dead: int


class Jobs:
    """The jobs of one service; each service has a queue of its own."""

    def __init__(self, broker: Broker, service: str) -> None:
        self.broker = broker
        self.service = service
        self._actors: dict[str, Any] = {}

    def add(self, name: str, job: Job, *, limit: timedelta = timedelta(minutes=10), repetitions: int = 10) -> None:
        """Register `service.noun.verb`; `limit` ends a run that takes longer, a failed one is repeated.

        Each run has an event loop of its own in a worker's thread: what a job needs it opens itself.
        """
        if not _NAME.match(name) or not name.startswith(f"{self.service}."):
            raise JobError(f"{name!r} is not {self.service}.noun.verb")
        if name in self._actors:
            raise JobError(f"{name} is registered twice")

        def work(*ids: Id) -> None:
            _log.info("job", extra={"job": name})
            asyncio.run(within(*ids))

        async def within(*ids: Id) -> None:
            # dramatiq's own limit cannot interrupt a loop that waits; it stays for code that computes.
            async with asyncio.timeout(limit.total_seconds()):
                await job(*ids)

        self._actors[name] = dramatiq.actor(
            work,
            actor_name=name,
            queue_name=self.service,
            broker=self.broker,
            time_limit=int(limit.total_seconds() * 1000) + 1000,
            repetitions=repetitions,
        )

    def send(self, name: str, *ids: Id) -> str:
        """Enqueue a run with ids alone; the message id. Unavailable while Valkey is away."""
        actor = self._actors.get(name)
        if actor is None:
            raise JobError(f"{name} is not registered")
        if strange := [one for one in ids if not isinstance(one, str | int)]:
            raise JobError(f"{name} takes ids, not {type(strange[0]).__name__}")
        try:
            return str(actor.send(*ids).message_id)
        except AWAY as error:
            raise Unavailable("jobs cannot be enqueued: Valkey is away") from error

    async def enqueue(self, name: str, *ids: Id) -> str:
        """As `send`, from an event loop, which a Valkey that does not answer must not hold up."""
        return await asyncio.to_thread(self.send, name, *ids)

    def counts(self) -> Counts:
        """What there is in the service's queue; Unavailable while Valkey is away."""
        queue = f"{self.broker.namespace}:{self.service}"
        try:
            with self.broker.client.pipeline(transaction=False) as asked:
                asked.hlen(f"{queue}.msgs")
                asked.hlen(f"{queue}.DQ.msgs")
                asked.zcard(f"{queue}.XQ")
                waiting, delayed, dead = asked.execute()
        except AWAY as error:
            raise Unavailable("jobs cannot be counted: Valkey is away") from error
        return Counts(waiting=waiting, delayed=delayed, dead=dead)

    async def watch(self, metrics: Metrics) -> None:
        """A part that keeps the counts in the metrics; Unavailable while Valkey is away."""
        gauge = metrics.gauge("jobs", "Jobs by state: waiting (or running), delayed until repeated, dead", ("state",))
        while True:
            counts = await asyncio.to_thread(self.counts)
            for state in ("waiting", "delayed", "dead"):
                gauge.labels(state).set(getattr(counts, state))
            await asyncio.sleep(EVERY)

    def close(self) -> None:
        self.broker.close()
        self.broker.client.close()
