"""The relay of one ledger: publishes its facts in order, once each, and makes good what the bus has lost.

Facts are durable before the relay sees them; NATS is only their news. While the server takes one batch, the next is
read and encoded.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from letopis.common import faults
from letopis.common.clock import Clock
from letopis.common.database import away_is_unavailable
from letopis.common.envelope import Record
from letopis.common.errors import EventStoreError, Unavailable
from letopis.common.following.moments import last_before
from letopis.common.following.source import Source
from letopis.common.messaging import (
    SEGMENT,
    Bus,
    cloudevent,
    largest,
    last_position,
    segments,
    stream_name,
    subject_of,
)
from letopis.common.observability import Metrics
from letopis.common.publishing import MESSAGE_ID, Message, OutOfStep, publish
from letopis.common.running import end

WANTED = timedelta(days=14)
SINGLES = 500
SEGMENT_FACTS = 1000
RECONCILE = 60.0
_log = logging.getLogger(__name__)

_LOCK = text("SELECT pg_try_advisory_lock(hashtext('letopis.relay.' || :ledger))")
# Progress can be found again in the stream, so its commits do not wait for the disk.
_LAZY = text("SET synchronous_commit = off")
_PROGRESS = text("SELECT position FROM outbox.relay WHERE ledger = :ledger")
_MOVE = text(
    "INSERT INTO outbox.relay VALUES (:ledger, :position) "
    "ON CONFLICT (ledger) DO UPDATE SET position = EXCLUDED.position"
)
_INCIDENT = text(
    "INSERT INTO outbox.incident (ledger, kind, expected, found) VALUES (:ledger, :kind, :expected, :found)"
)


class NewsLost(Unavailable):
    """The stream is not where this relay left it; it begins again from what the stream really holds."""

    code = "relay.news_lost"
    title = "The bus lost news; they are published again"


class NewsAhead(EventStoreError):
    """The stream tells of facts that the ledger does not have; the relay stops until a person has looked."""

    code = "relay.news_ahead"
    title = "The bus knows facts that the ledger has lost"


class Batch(NamedTuple):
    """Facts on their way: the last one's position and age, and the messages that tell of them."""

    last: int
    recorded_at: datetime | None
    messages: list[Message]


@dataclass(slots=True)
class Relay:
    """One ledger's relay. `engine` is the application's; one relay a ledger works, others wait for its lock."""

    source: Source
    bus: Bus
    engine: AsyncEngine
    clock: Clock
    metrics: Metrics
    telemetry: bool = False
    reconcile: float = RECONCILE

    @property
    def ledger(self) -> str:
        return self.source.ledger

    async def run(self) -> None:
        """Relay for ever; ends with Unavailable when a part is away, to begin again."""
        stuck = self.metrics.gauge("relay_stuck", "1 while the relay cannot publish", ("ledger",)).labels(self.ledger)
        async with away_is_unavailable(), self.engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            while not (await autocommit.execute(_LOCK, {"ledger": self.ledger})).scalar_one():  # noqa: ASYNC110 no event
                await asyncio.sleep(1)
            faults.point("relay.locked")
            try:
                await autocommit.execute(_LAZY)
                await self._relay(autocommit)
            except OutOfStep as error:
                raise NewsLost(f"the stream of {self.ledger} is not where the relay left it") from error
            except (NatsError, TimeoutError) as error:
                stuck.set(1)
                raise Unavailable("the bus did not take the news") from error
            except EventStoreError:
                stuck.set(1)
                raise
            finally:
                # The lock ends with the connection, so a closed relay never holds it.
                with suppress(Exception):
                    await connection.invalidate()

    async def _relay(self, connection: AsyncConnection) -> None:
        js, client = await self.bus.jetstream(), await self.bus.client()
        position, sequence = await self._begin(connection, js)
        faults.point("relay.begun")
        checked = monotonic()
        ready: asyncio.Queue[Batch | Exception] = asyncio.Queue(1)
        preparing = asyncio.create_task(self._prepare(position, client, ready))
        try:
            while True:
                batch = await ready.get()
                if isinstance(batch, Exception):
                    raise batch
                if batch.messages:
                    faults.point("relay.read")
                sequence = await self._publish(client, batch, sequence)
                if batch.last > position:
                    faults.point("relay.published")
                    position = batch.last
                    await connection.execute(_MOVE, {"ledger": self.ledger, "position": position})
                    faults.point("relay.moved")
                self._measure(batch)
                if monotonic() - checked > self.reconcile:
                    checked = monotonic()
                    if await self._last_sequence(js) != sequence:
                        raise NewsLost(f"the stream of {self.ledger} is not where the relay left it")
        finally:
            await end(preparing)

    async def _prepare(self, position: int, client: Client, ready: "asyncio.Queue[Batch | Exception]") -> None:
        """Facts as messages, one batch ahead; while one is encoded the database works on the next."""
        reading = asyncio.create_task(self._read(position))
        try:
            while True:
                records = await reading
                last, recorded_at = position, None
                if records:
                    last = position = records[-1].position
                    recorded_at = records[-1].recorded_at
                reading = asyncio.create_task(self._read(position))
                # So that the question is on its way before this thread is busy.
                await asyncio.sleep(0)
                await ready.put(Batch(last, recorded_at, self._told(records, largest(client.max_payload))))
        except Exception as error:  # noqa: BLE001 whoever publishes meets it
            await ready.put(error)
        finally:
            await end(reading)

    async def _read(self, position: int) -> Sequence[Record]:
        """The facts after a position; none when none came for a while."""
        limit = SEGMENT_FACTS if self.telemetry else SINGLES
        if not (records := await self.source.read(position, limit)):
            await self.source.wait(position, min(1.0, self.reconcile))
            records = await self.source.read(position, limit)
        return records

    def _told(self, records: Sequence[Record], most: int) -> list[Message]:
        """Records as messages of at most `most` bytes, in order."""
        if not records:
            return []
        if self.telemetry:
            return [
                Message(
                    f"letopis.{self.ledger}.{SEGMENT}",
                    f"{self.ledger}:{part[0].position}-{part[-1].position}",
                    body,
                )
                for part, body in segments(records, most)
            ]
        return [
            Message(subject_of(record), f"{self.ledger}:{record.position}", cloudevent(record, most=most))
            for record in records
        ]

    async def _publish(self, client: Client, batch: Batch, sequence: int) -> int:
        """All of the batch durable in the stream, which stands at the returned sequence."""
        return await publish(client, batch.messages, sequence)

    def _measure(self, batch: Batch) -> None:
        """Everything up to the batch's last fact is published."""
        gauge, lag = self.metrics.gauge, max(self.source.known - batch.last, 0)
        late = (self.clock.now() - batch.recorded_at).total_seconds() if lag and batch.recorded_at else 0
        gauge("relay_position", "The last position published", ("ledger",)).labels(self.ledger).set(batch.last)
        gauge("relay_lag_events", "Facts heard of and not published yet", ("ledger",)).labels(self.ledger).set(lag)
        gauge("relay_lag_seconds", "Age of the last fact published while there are more", ("ledger",)).labels(
            self.ledger
        ).set(late)
        gauge("relay_stuck", "1 while the relay cannot publish", ("ledger",)).labels(self.ledger).set(0)

    async def _begin(self, connection: AsyncConnection, js: JetStreamContext) -> tuple[int, int]:
        """Where to go on: after the stream's last message, or, where it has none, from the oldest fact still wanted."""
        sequence = await self._last_sequence(js)
        before = (await connection.execute(_PROGRESS, {"ledger": self.ledger})).scalar_one_or_none() or 0
        found = await self._last_told(js, sequence)
        if found and not await self.source.read(found - 1, 1, sure=True):
            # Somebody restored the database from an old backup, or this stream belongs to another one.
            await self._record(connection, "news_ahead", before, found)
            raise NewsAhead(f"the stream of {self.ledger} tells of fact {found}, which the ledger does not have")
        # What is older than the stream keeps news is not published again; it may have left the stream by age alone.
        start = max(found, await self._oldest_wanted()) if found < before or not found else found
        if start < before:
            _log.error("news were lost and are published again", extra={"ledger": self.ledger, "position": start})
            await self._record(connection, "news_lost", before, start)
        return start, sequence

    async def _last_told(self, js: JetStreamContext, sequence: int) -> int:
        """The last position that the stream tells, 0 for none; a message that names none is somebody's mistake."""
        while sequence:
            try:
                message = await js.get_msg(stream_name(self.ledger), seq=sequence)
                return last_position((message.headers or {})[MESSAGE_ID])
            except NotFoundError:
                break
            except (KeyError, ValueError):
                sequence -= 1
        return 0

    async def _record(self, connection: AsyncConnection, kind: str, expected: int, found: int) -> None:
        values = {"ledger": self.ledger, "kind": kind, "expected": expected, "found": found}
        await connection.execute(_INCIDENT, values)

    async def _last_sequence(self, js: JetStreamContext) -> int:
        try:
            state = (await js.stream_info(stream_name(self.ledger))).state
        except NotFoundError:
            raise Unavailable(f"stream {stream_name(self.ledger)} is missing; the administrator makes it") from None
        return int(state.last_seq)

    async def _oldest_wanted(self) -> int:
        """The position before the first fact that is younger than the stream keeps news."""
        return await last_before(self.source.read, self.clock.now() - WANTED)
