"""What surrounds a fact: who, why, by which authorization, and where it stands in its ledger."""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from letopis.common.serialization import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it: the person behind the login, or the service."""

    person: str = ""
    login: str = ""
    service: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The policy decision behind an effect, whole, so that it can be replayed; under a lease its event id alone."""

    authorization_id: str = ""
    action: str = ""
    revision: str = ""
    input: dict[str, Any]
    result: dict[str, Any]
    lease: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """The circumstances of a fact."""

    actor: Actor
    purpose: str = ""
    tenant: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    authorization: Authorization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact ready to be appended: its bytes are final."""

    event_id: UUID
    type: str
    schema_version: int
    salt: bytes
    data: bytes
    meta: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored fact, exactly as it is hashed."""

    ledger: str
    position: int
    stream: str
    version: int
    prev: int
    event_id: UUID
    type: str
    schema_version: int
    recorded_at: datetime
    command_id: UUID | None
    salt: bytes
    data: bytes
    meta: bytes


class _Line(msgspec.Struct):
    """A record as it travels."""

    ledger: str
    position: str
    stream: str
    version: str
    prev: str
    event_id: UUID
    type: str
    schema_version: str
    recorded_at: str
    command_id: str
    salt: str
    data: str
    meta: str


_LINE = msgspec.json.Decoder(_Line)
_ASSIGN = tuple(getattr(Record, field.name).__set__ for field in fields(Record))
_META = msgspec.json.Decoder(Meta)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def encode_meta(meta: Meta) -> bytes:
    return canonical(meta)


def decode_meta(data: bytes) -> Meta:
    return _META.decode(data)


def time_text(moment: datetime) -> str:
    """UTC with exactly six fraction digits, as leaves and records spell it."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="microseconds")[:26] + "Z"


def time_of(text: str) -> datetime:
    """The moment behind such a text; ValueError for any other spelling of it."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time in UTC with six fraction digits")
    return datetime.fromisoformat(text)


def record_to_json(record: Record) -> dict[str, str]:
    """The one shape in which a stored fact travels: all values strings, data and meta as exact text."""
    return {
        "v": "1",
        "ledger": record.ledger,
        "position": str(record.position),
        "stream": record.stream,
        "version": str(record.version),
        "prev": str(record.prev),
        "event_id": str(record.event_id),
        "type": record.type,
        "schema_version": str(record.schema_version),
        "recorded_at": time_text(record.recorded_at),
        "command_id": "" if record.command_id is None else str(record.command_id),
        "salt": record.salt.hex(),
        "data": record.data.decode(),
        "meta": record.meta.decode(),
    }


def record_from_json(document: dict[str, str]) -> Record:
    """The record told by its JSON shape; KeyError or ValueError where it is not one."""
    return Record(
        ledger=document["ledger"],
        position=int(document["position"]),
        stream=document["stream"],
        version=int(document["version"]),
        prev=int(document["prev"]),
        event_id=UUID(document["event_id"]),
        type=document["type"],
        schema_version=int(document["schema_version"]),
        recorded_at=time_of(document["recorded_at"]),
        command_id=UUID(document["command_id"]) if document["command_id"] else None,
        salt=bytes.fromhex(document["salt"]),
        data=document["data"].encode(),
        meta=document["meta"].encode(),
    )


def records_of_lines(lines: Iterable[bytes]) -> list[Record]:
    """The records of lines as `record_line` writes them; ValueError where one is none."""
    told = map(_LINE.decode, lines)
    return records_of_rows(
        [
            (
                *(one.ledger, int(one.position), one.stream, int(one.version), int(one.prev), one.event_id, one.type),
                *(int(one.schema_version), time_of(one.recorded_at), UUID(one.command_id) if one.command_id else None),
                *(bytes.fromhex(one.salt), one.data.encode(), one.meta.encode()),
            )
            for one in told
        ]
    )


def records_of_rows(rows: Sequence[Sequence[Any]]) -> list[Record]:
    """Records of values in the order of the fields.

    Column by column and without `__init__`: a frozen dataclass sets each of its fields by a call of its own, which
    costs more than reading the facts does.
    """
    records = [object.__new__(Record) for _ in rows]
    for assign, column in zip(_ASSIGN, zip(*rows, strict=True), strict=False):
        deque(map(assign, records, column), maxlen=0)
    return records


def record_line(record: Record) -> bytes:
    """One line of NDJSON."""
    return msgspec.json.encode(record_to_json(record)) + b"\n"
