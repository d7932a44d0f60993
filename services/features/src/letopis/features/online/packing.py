"""How a row stands in the online store: two times and the values, packed so that newer compares greater."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from letopis.common.errors import EventStoreError

# Event time, then known time, as microseconds since 1970 shifted to be unsigned: bytes compare as times do.
_TIMES = struct.Struct(">QQ8s")
_SHIFT = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ORDERED_BYTES = 16


class RowDamaged(EventStoreError):
    """What stands online was not written by us, or for another shape of the view."""

    code = "online.row_damaged"
    title = "A value in the online store has a shape that is not its view's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The newest values of one entity in one view version."""

    event: datetime
    known: datetime
    values: tuple[Any, ...]


def schema_id(features: Sequence[str]) -> bytes:
    """Eight bytes that name the order of the values."""
    return sha256("\n".join(features).encode()).digest()[:8]


def key(view_id: str, entity_key: str) -> str:
    """The one key of an entity in a view version."""
    return f"letopis:online:{view_id}:{entity_key}"


def pack(row: Row, schema: bytes) -> bytes:
    return _TIMES.pack(_micros(row.event), _micros(row.known), schema) + msgspec.msgpack.encode(list(row.values))


def unpack(data: bytes, schema: bytes) -> Row:
    """The row; RowDamaged if it was packed for other features."""
    if len(data) < _TIMES.size:
        raise RowDamaged
    event, known, found = _TIMES.unpack_from(data)
    if found != schema:
        raise RowDamaged
    return Row(event=_time(event), known=_time(known), values=tuple(msgspec.msgpack.decode(data[_TIMES.size :])))


def served(value: Any) -> Any:
    """A value as it is served: a JSON scalar; times as ISO 8601, decimals as floats."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _micros(moment: datetime) -> int:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // timedelta(microseconds=1) + _SHIFT


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros - _SHIFT)
