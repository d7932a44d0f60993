"""News over NATS: facts as CloudEvents, telemetry as segments, and one connection a process."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import nats
import zstandard
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from letopis.common.envelope import Record, record_from_json, record_line, record_to_json, records_of_lines
from letopis.common.errors import EventStoreError, Unavailable
from letopis.common.leaf import leaf_hash_told

SEGMENT = "segment"
PATIENCE = 5.0
_log = logging.getLogger(__name__)


class MessageError(EventStoreError):
    """Somebody published what is not news, or a message was damaged; the owner's door has the facts."""

    code = "messaging.message"
    title = "A message is no news of a ledger"


def stream_name(ledger: str) -> str:
    """The JetStream stream of a ledger."""
    return f"LEDGER_{ledger}"


def subject_of(record: Record) -> str:
    """`letopis.<ledger>.<noun>.<past>`; the stored name already begins with the ledger."""
    return f"letopis.{record.type}"


def largest(max_payload: int) -> int:
    """The largest body to send: publishers read their last message back in base64, beside headers."""
    return max_payload * 7 // 10 - 1024


def cloudevent(record: Record, *, most: int = 0) -> bytes:
    """CloudEvents 1.0, structured JSON; positions are strings, since integers there have 32 bits.

    An event larger than `most` bytes says by the extension `dataref` where its data are: at the owner's door.
    """
    told = record_to_json(record)
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": told["event_id"],
        "source": f"urn:letopis:{record.ledger}",
        "type": record.type,
        "subject": record.stream,
        "time": told["recorded_at"],
        "datacontenttype": "application/json",
        "ledger": record.ledger,
        "position": told["position"],
        "prevposition": told["prev"],
        "leafhash": leaf_hash_told(record, told).hex(),
        "data": told,
    }
    whole = msgspec.json.encode(event)
    if 0 < most < len(whole):
        del event["data"]
        event["dataref"] = f"/v1/ledgers/{record.ledger}/facts?after={record.position - 1}&limit=1"
        return msgspec.json.encode(event)
    return whole


def segments(records: Sequence[Record], most: int) -> list[tuple[Sequence[Record], bytes]]:
    """Telemetry in few messages, each NDJSON of records under zstd of at most `most` bytes, with what it holds.

    A single record that is larger is left out: consumers find the hole and fetch it at the owner's door.
    """
    body = zstandard.compress(b"".join(map(record_line, records)), 1)
    if len(body) <= most:
        return [(records, body)]
    if len(records) == 1:
        return []
    middle = len(records) // 2
    return segments(records[:middle], most) + segments(records[middle:], most)


class Tidings(NamedTuple):
    """What a message tells: up to which position there are facts, those it carries, leaf hashes by position."""

    last: int
    records: list[Record]
    leafhashes: dict[int, bytes]


def told_in(subject: str, body: bytes) -> Tidings:
    """The content of a message; MessageError if it is none of ours."""
    try:
        return _segment_told(body) if subject.endswith(f".{SEGMENT}") else _event_told(body)
    except (ValueError, LookupError, TypeError, zstandard.ZstdError) as error:
        raise MessageError(f"a message on {subject} cannot be read") from error


def _segment_told(body: bytes) -> Tidings:
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(body).splitlines()
    records = records_of_lines(lines)
    return Tidings(records[-1].position, records, {})


def _event_told(body: bytes) -> Tidings:
    event = msgspec.json.decode(body)
    last = int(event["position"])
    records = [record_from_json(event["data"])] if "data" in event else []
    return Tidings(last, records, {last: bytes.fromhex(event["leafhash"])})


def last_position(message_id: str) -> int:
    """The last position a message id names: `<ledger>:<position>` or `<ledger>:<first>-<last>`."""
    return int(message_id.rpartition(":")[2].rpartition("-")[2])


@dataclass(slots=True)
class Bus:
    """The process's connection to NATS; made on first use, kept over reconnections."""

    url: str
    service: str
    seed_file: Path | None = None
    _client: Client | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self._client is not None and self._client.is_connected

    async def client(self) -> Client:
        """The connection; Unavailable while there is none."""
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                options: dict[str, Any] = {}
                if self.seed_file is not None:
                    options["nkeys_seed_str"] = self.seed_file.read_text("utf-8").strip()
                try:
                    # Without a server the client would try for ever, and nobody could see that it is away.
                    async with asyncio.timeout(PATIENCE):
                        self._client = await nats.connect(
                            self.url,
                            name=f"letopis-{self.service}",
                            inbox_prefix=f"_INBOX_{self.service}".encode(),
                            connect_timeout=2,
                            max_reconnect_attempts=-1,
                            reconnect_time_wait=0.5,
                            allow_reconnect=True,
                            error_cb=_complain,
                            **options,
                        )
                except (NatsError, OSError, TimeoutError) as error:
                    raise Unavailable("NATS cannot be reached") from error
        if not self._client.is_connected:
            raise Unavailable("NATS is away")
        return self._client

    async def jetstream(self) -> JetStreamContext:
        return (await self.client()).jetstream(timeout=PATIENCE)

    async def close(self) -> None:
        if self._client is not None and not self._client.is_closed:
            await self._client.close()


async def _complain(error: Exception) -> None:
    # A forbidden publish shows itself here alone; the caller sees only a time-out.
    _log.warning("NATS reports an error", extra={"code": type(error).__name__})
