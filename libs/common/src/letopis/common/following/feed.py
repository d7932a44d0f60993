"""Another service's ledger: its news from JetStream, and its owner's door for what the news do not have.

The news are only the fast way. Readers keep their own checkpoints; whatever is missing in the buffer, after a
deleted stream, a restart or a silence, is read at the door. Messages are acknowledged once every reader has
committed what they hold.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from letopis.common import faults
from letopis.common.envelope import Record
from letopis.common.errors import Unavailable
from letopis.common.following.door import DoorLedger
from letopis.common.following.news import News
from letopis.common.messaging import Bus, MessageError, Tidings, stream_name, told_in
from letopis.common.observability import Metrics

SILENCE = 10.0
# While the news do not come at all, the door is asked more often.
DEAF = 1.0
# Records held for readers that are behind; what is not held is read at the door.
BUFFER = 5_000
BURST = 100
# The server sends again what is not acknowledged in 30 s. A reader that is stuck for long does not need that: the
# door has everything.
UNACKNOWLEDGED = 20.0
# So long a pull may bring nothing before the server is asked whether it has something, and at most so long.
QUIET, LONGEST_QUIET = 5.0, 60.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class LedgerFeed:
    """One ledger for all its readers in this process; `run` is a part of its own."""

    door: DoorLedger
    bus: Bus
    news: News
    durable: str
    silence: float = SILENCE
    metrics: Metrics = field(default_factory=lambda: Metrics("feed"))
    leafhashes: dict[int, bytes] = field(default_factory=dict)
    _held: dict[int, Record] = field(default_factory=dict)
    _waiting: deque[tuple[int, float, Msg]] = field(default_factory=deque)
    _taken: dict[str, int] = field(default_factory=dict)
    _told_at: float = -SILENCE
    _nothing_after: int = -1
    _hearing: bool = False

    @property
    def ledger(self) -> str:
        return self.door.ledger

    @property
    def known(self) -> int:
        return self.news.last(self.ledger)

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        """From the buffer while it is contiguous; else from the door, if there is or may be something."""
        held: list[Record] = []
        while len(held) < limit and (record := self._held.get(after + len(held) + 1)) is not None:
            held.append(record)
        if held:
            return held
        if not sure and self.known <= after and not self._silent():
            return held
        self._told_at = monotonic()
        records = await self.door.read(after, limit)
        faults.point("feed.knocked")
        self._nothing_after = -1 if records else after
        return records

    async def head(self) -> int:
        return await self.door.head()

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 a quiet ledger is no error
        if self._nothing_after == after and self.known > after:
            # The news are ahead of the door; asking it at once again would not help.
            await asyncio.sleep(min(timeout, DEAF))
        else:
            await self.news.after(self.ledger, after, timeout)

    def taken(self, reader: str, position: int) -> None:
        """What every reader has committed is dropped here, and acknowledged by the part that hears."""
        self._taken[reader] = max(position, self._taken.get(reader, 0))
        floor = min(self._taken.values())
        for old in [one for one in self._held if one <= floor]:
            del self._held[old]
            self.leafhashes.pop(old, None)

    async def run(self) -> None:
        """Hear news for ever; ends with Unavailable when NATS or the durable is away, to begin again."""
        stuck = self.metrics.gauge("feed_stuck", "1 while no news of the ledger come", ("ledger",)).labels(self.ledger)
        try:
            js = await self.bus.jetstream()
            await self._hear(js, stuck)
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"no news of {self.ledger} come") from error
        finally:
            self._hearing = False
            stuck.set(1)

    async def _hear(self, js: JetStreamContext, stuck: Any) -> None:
        """Make a silent pull anew, after pauses that grow while that does not help."""
        renewed = self.metrics.counter("feed_pulls_renewed", "Pulls that fell silent and were made anew", ("ledger",))
        quiet = QUIET
        while True:
            heard = await self._pull(js, quiet, stuck)
            quiet = QUIET if heard else min(quiet * 2, LONGEST_QUIET)
            renewed.labels(self.ledger).inc()

    async def _pull(self, js: JetStreamContext, quiet: float, stuck: Any) -> bool:
        """Hear until the pull brings nothing although the server has or had something; whether it ever brought any."""
        stream, heard = stream_name(self.ledger), 0
        delivered = _delivered(await js.consumer_info(stream, self.durable))
        subscription = await js.pull_subscribe_bind(consumer=self.durable, stream=stream)
        self._hearing = True
        stuck.set(0)
        try:
            while True:
                batch, patience = 1, quiet
                while True:
                    try:
                        messages = await subscription.fetch(batch, timeout=patience)
                    except TimeoutError:
                        break
                    heard += len(messages)
                    self._take(messages)
                    faults.point("feed.heard")
                    await self._acknowledge()
                    faults.point("feed.acknowledged")
                    batch, patience = BURST, 0.02
                if batch == 1:
                    # Nothing for a while: is the durable still there, or does silence only look like peace?
                    told = await js.consumer_info(stream, self.durable)
                    if told.num_pending or _delivered(told) > delivered + heard:
                        return heard > 0
                await self._acknowledge()
        finally:
            await subscription.unsubscribe()

    def _take(self, messages: Sequence[Msg]) -> None:
        for message in messages:
            try:
                told = told_in(message.subject, message.data)
            except MessageError:
                _log.exception("a message is no news", extra={"ledger": self.ledger})
                told = Tidings(0, [], {})
            floor = min(self._taken.values(), default=0)
            for record in told.records:
                if record.ledger == self.ledger and record.position > floor and len(self._held) < BUFFER:
                    self._held[record.position] = record
                    if record.position in told.leafhashes:
                        self.leafhashes[record.position] = told.leafhashes[record.position]
            # Only the address for the acknowledgement is still needed.
            message.data = b""
            self._waiting.append((told.last, monotonic(), message))
            self._told_at = monotonic()
            self.news.heard(self.ledger, told.last)

    async def _acknowledge(self) -> None:
        floor, now = min(self._taken.values(), default=0), monotonic()
        while self._waiting and (self._waiting[0][0] <= floor or now - self._waiting[0][1] > UNACKNOWLEDGED):
            # An acknowledgement that does not arrive only makes the server send the message again.
            with suppress(NatsError):
                await self._waiting.popleft()[2].ack()
        lag = max(self.known - floor, 0) if self._taken else 0
        late = now - self._waiting[0][1] if lag and self._waiting else 0
        gauge, ledger = self.metrics.gauge, self.ledger
        gauge("feed_lag_events", "Facts heard of that some reader has not taken", ("ledger",)).labels(ledger).set(lag)
        gauge("feed_lag_seconds", "Since when the oldest news waits for a reader", ("ledger",)).labels(ledger).set(late)

    def _silent(self) -> bool:
        """Silence shows no hole: nothing was heard or asked for too long."""
        return monotonic() - self._told_at > (self.silence if self._hearing and self.bus.connected else DEAF)


def _delivered(told: ConsumerInfo) -> int:
    """How many messages the server has handed to the durable's pulls."""
    return told.delivered.consumer_seq if told.delivered else 0
