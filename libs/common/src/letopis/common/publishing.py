"""Messages put onto a stream in order, each once: several at a time as one atomic batch (NATS 2.12, ADR-50).

The server keeps all of a batch or none of it, and syncs it to disk once, before its answer: that is what makes
`sync_interval: always` affordable. What is published MUST follow the stream's last message: the first message names
the sequence it expects, so two publishers, retries and lost answers put nothing twice or out of order. Where several
publishers share a stream, each with subjects of its own, the same holds of the subject's last message.
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
EXPECTED_OF_SUBJECT = "Nats-Expected-Last-Subject-Sequence"
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


async def publish(client: Client, messages: Sequence[Message], sequence: int, *, of_subject: bool = False) -> int:
    """Put the messages right after a sequence; the sequence of the last one, all durable.

    `of_subject`: it is the last sequence of their one subject, 0 for none, and not of the stream.
    OutOfStep if the stream stands elsewhere, NatsError if it did not take them.
    """
    expected = EXPECTED_OF_SUBJECT if of_subject else EXPECTED_SEQUENCE
    for part in _parts(messages):
        last = await _batch(client, part, {expected: str(sequence)})
        if last < sequence + len(part) or (last > sequence + len(part) and not of_subject):
            # A duplicate is answered with the place of its first telling.
            raise OutOfStep(description=f"the last message stands at {last}, not at {sequence + len(part)}")
        sequence = last
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


async def _batch(client: Client, messages: Sequence[Message], expected: dict[str, str]) -> int:
    """Where the last message stands, by the server's word for all of them; one alone needs no batch."""
    if len(messages) == 1:
        return await _answer(client, messages[0], {MESSAGE_ID: messages[0].id} | expected)
    batch = str(uuid7())
    for place, message in enumerate(messages[:-1], 1):
        headers = {MESSAGE_ID: message.id, _BATCH: batch, _PLACE: str(place)} | (expected if place == 1 else {})
        await client.publish(message.subject, message.body, headers=headers)
        faults.point("publishing.staged")
    last = {MESSAGE_ID: messages[-1].id, _BATCH: batch, _PLACE: str(len(messages)), _COMMIT: "1"}
    return await _answer(client, messages[-1], last)


async def _answer(client: Client, message: Message, headers: dict[str, str]) -> int:
    answer = await client.request(message.subject, message.body, timeout=PATIENCE, headers=headers)
    told: dict[str, Any] = msgspec.json.decode(answer.data)
    if error := told.get("error"):
        kind = OutOfStep if error.get("err_code") in _OUT_OF_STEP else APIError
        raise kind(code=error.get("code"), description=error.get("description"), err_code=error.get("err_code"))
    return int(told["seq"])
