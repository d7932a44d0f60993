"""Replays on the bus: one stream with limits, subjects by subscriber, and a durable for each to read its own.

Whoever asks for more than the stream holds gets no hole: a full stream takes nothing (`discard: new`), and the replay
goes on when older ones have left it.
"""

from collections.abc import Iterable

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

STREAM = "REPLAYS"
THREE_DAYS = 3 * 24 * 3600.0
MOST_BYTES = 4 << 30


def stream() -> StreamConfig:
    """What was told again, for three days and up to 4 GiB."""
    return StreamConfig(
        name=STREAM,
        subjects=["letopis.replay.*.*"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_age=THREE_DAYS,
        max_bytes=MOST_BYTES,
        duplicate_window=120,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
    )


def durable(subscriber: str) -> ConsumerConfig:
    """A subscriber's pull consumer of its own replays, whichever service tells them."""
    return ConsumerConfig(
        durable_name=f"{subscriber}_replays",
        filter_subject=f"letopis.replay.{subscriber}.*",
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=30,
        max_ack_pending=2048,
    )


def telling() -> list[str]:
    """What a service may publish to tell replays, and to look up how far it had come."""
    return ["letopis.replay.*.*", f"$JS.API.DIRECT.GET.{STREAM}.letopis.replay.>"]


def reading(subscriber: str) -> list[str]:
    """What a subscriber may publish to read its own replays; other subscribers' durables are not named."""
    name = f"{subscriber}_replays"
    return [
        f"$JS.API.CONSUMER.INFO.{STREAM}.{name}",
        f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}",
        f"$JS.ACK.{STREAM}.{name}.>",
    ]


async def ensure(js: JetStreamContext, subscribers: Iterable[str]) -> list[str]:
    """Make the stream and each subscriber's durable where they are missing; the names of what was made."""
    made = []
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        await js.add_stream(stream())
        made.append(STREAM)
    for subscriber in subscribers:
        name = f"{subscriber}_replays"
        try:
            await js.consumer_info(STREAM, name)
        except NotFoundError:
            await js.add_consumer(STREAM, durable(subscriber))
            made.append(name)
    return made
