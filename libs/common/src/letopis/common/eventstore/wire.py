"""Values as PostgreSQL's binary protocol spells them: arrays are packed here, the driver only carries them."""

import struct
from collections.abc import Iterable, Sequence
from uuid import UUID

_ANSWER_INT = struct.Struct("!q")
_BOOL, _BYTEA, _INT8, _INT4, _TEXT, _UUID = 16, 17, 20, 23, 25, 2950


def uuids(values: Sequence[UUID | None]) -> bytes:
    """`uuid[]`, where None is NULL."""
    return _array(_UUID, [None if value is None else value.bytes for value in values])


def texts(values: Iterable[str]) -> bytes:
    """`text[]`."""
    return _array(_TEXT, [value.encode() for value in values])


def byteas(values: Sequence[bytes]) -> bytes:
    """`bytea[]`."""
    return _array(_BYTEA, values)


def integers(values: Sequence[int]) -> bytes:
    """`integer[]`."""
    return _fixed(_INT4, "ii", 4, values)


def bigints(values: Sequence[int]) -> bytes:
    """`bigint[]`."""
    return _fixed(_INT8, "iq", 8, values)


def booleans(values: Sequence[bool]) -> bytes:
    """`boolean[]`."""
    return _fixed(_BOOL, "i?", 1, values)


def bigint(value: int) -> bytes:
    """`bigint`."""
    return _ANSWER_INT.pack(value)


def number(value: bytes | None) -> int:
    """A `bigint` of an answer, 0 for NULL."""
    return 0 if value is None else int(_ANSWER_INT.unpack(value)[0])


def _head(kind: int, count: int, *, nulls: bool = False) -> bytes:
    """One dimension whose lower bound is 1; none where there are no elements."""
    return struct.pack("!iiIii", 1, nulls, kind, count, 1) if count else struct.pack("!iiI", 0, 0, kind)


def _array(kind: int, values: Sequence[bytes | None]) -> bytes:
    parts = [_head(kind, len(values), nulls=None in values)]
    for value in values:
        if value is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts += (len(value).to_bytes(4, "big"), value)
    return b"".join(parts)


def _fixed(kind: int, layout: str, size: int, values: Sequence[int]) -> bytes:
    pairs = [item for value in values for item in (size, value)]
    return _head(kind, len(values)) + struct.pack("!" + layout * len(values), *pairs)
