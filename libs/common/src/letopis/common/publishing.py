"""Messages put onto a stream in order, each once: several at a time as one atomic batch (NATS 2.12, ADR-50).

The server keeps all of a batch or none of it, and syncs it to disk once, before its answer: that is what makes
`sync_interval: always` affordable. What is published MUST follow the stream's last message: the first message names
the sequence it expects, so two publishers, retries and lost answers put nothing twice or out of order.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.js.errors import APIError

from letopis.common import faults
from letopis.common.ids import uuid7

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED_SEQUENCE = "Nats-Expected-Last-Sequence"
_BATCH = "Nats-Batch-Id"
_PLACE = "Nats-Batch-Sequence"
_COMMIT = "Nats-Batch-Commit"
# The server takes 1,000; fewer bytes keep its answer well within our patience.
MOST_MESSAGES = 500
MOST_BYTES = 8 << 20
PATIENCE = 10.0
# The stream's last sequence is another; a message of the batch stands in the stream already.
_OUT_OF_STEP = frozenset({10071, 10201})


class Message(NamedTuple):
    """What is told, where, and the id under which the server knows it for a duplicate."""

    subject: str
    id: str
    body: bytes


class OutOfStep(APIError):
    """The stream does not stand where the publisher left it; nothing was put onto it."""


async def publish(client: Client, messages: Sequence[Message], sequence: int) -> int:
    """Put the messages right after a sequence; the stream's sequence after them, all durable.

    OutOfStep if the stream stands elsewhere, NatsError if it did not take them.
    """
    for part in _parts(messages):
        sequence = await (_publish_one(client, part[0], sequence) if len(part) == 1 else _batch(client, part, sequence))
    return sequence


def _parts(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    first = size = 0
    for place, message in enumerate(messages):
        if place > first and (size + len(message.body) > MOST_BYTES or place - first == MOST_MESSAGES):
            yield messages[first:place]
            first, size = place, 0
        size += len(message.body)
    if messages:
        yield messages[first:]


async def _publish_one(client: Client, message: Message, sequence: int) -> int:
    headers = {MESSAGE_ID: message.id, EXPECTED_SEQUENCE: str(sequence)}
    return await _answer(client, message, headers, sequence + 1)


async def _batch(client: Client, messages: Sequence[Message], sequence: int) -> int:
    batch = str(uuid7())
    for place, message in enumerate(messages, 1):
        headers = {MESSAGE_ID: message.id, _BATCH: batch, _PLACE: str(place)}
        if place == 1:
            headers[EXPECTED_SEQUENCE] = str(sequence)
        if place < len(messages):
            await client.publish(message.subject, message.body, headers=headers)
            faults.point("publishing.staged")
        else:
            headers[_COMMIT] = "1"
    return await _answer(client, messages[-1], headers, sequence + len(messages))


async def _answer(client: Client, message: Message, headers: dict[str, str], expected: int) -> int:
    """The server's word for all that was sent; it is the right one only with the expected sequence."""
    answer = await client.request(message.subject, message.body, timeout=PATIENCE, headers=headers)
    told: dict[str, Any] = msgspec.json.decode(answer.data)
    if error := told.get("error"):
        kind = OutOfStep if error.get("err_code") in _OUT_OF_STEP else APIError
        raise kind(code=error.get("code"), description=error.get("description"), err_code=error.get("err_code"))
    if told["seq"] != expected:
        # A duplicate is answered with the place of its first telling.
        raise OutOfStep(description=f"the stream stands at {told['seq']}, not at {expected}")
    return expected
