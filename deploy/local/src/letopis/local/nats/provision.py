"""Streams and durable consumers: made by the administrator, made again when missing."""

from collections.abc import Iterable
from typing import Protocol

import nats
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

from letopis.common.ledgers import LEDGERS
from letopis.local.nats import replays
from letopis.local.topology import OFFSETS, stream_of

FOURTEEN_DAYS = 14 * 24 * 3600.0


def stream(ledger: str) -> StreamConfig:
    """News of one ledger: kept 14 days, never deleted or purged by anybody."""
    return StreamConfig(
        name=stream_of(ledger),
        subjects=[f"letopis.{ledger}.>"],
        retention=RetentionPolicy.LIMITS,
        max_age=FOURTEEN_DAYS,
        duplicate_window=120,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
    )


class Follower(Protocol):
    """A service or an outside system."""

    @property
    def name(self) -> str: ...

    @property
    def follows(self) -> tuple[str, ...]: ...


def durable(service: Follower, ledger: str) -> ConsumerConfig:
    """A follower's pull consumer of one ledger; what it has not acknowledged in 30 s comes again."""
    return ConsumerConfig(
        durable_name=f"{service.name}_{ledger}",
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=30,
        max_ack_pending=2048,
    )


async def ensure(js: JetStreamContext, services: Iterable[Follower]) -> list[str]:
    """Make every missing stream and durable; the names of what was made."""
    services, made = list(services), []
    for ledger in LEDGERS:
        try:
            await js.stream_info(stream_of(ledger))
        except NotFoundError:
            await js.add_stream(stream(ledger))
            made.append(stream_of(ledger))
    for service in services:
        for ledger in service.follows:
            name = f"{service.name}_{ledger}"
            try:
                await js.consumer_info(stream_of(ledger), name)
            except NotFoundError:
                await js.add_consumer(stream_of(ledger), durable(service, ledger))
                made.append(name)
    return made + await replays.ensure(js, [one.name for one in services if one.name not in OFFSETS])


async def provision(url: str, admin_seed: str, services: Iterable[Follower]) -> list[str]:
    """As the administrator: make what is missing."""
    client = await nats.connect(
        url,
        nkeys_seed_str=admin_seed,
        inbox_prefix=b"_INBOX_admin",
        connect_timeout=5,
        max_reconnect_attempts=1,
    )
    try:
        return await ensure(client.jetstream(timeout=5), services)
    finally:
        await client.close()
