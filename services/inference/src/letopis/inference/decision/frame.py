"""The bytes of a journal: records with length, CRC32C and a hash chain, in batches that count whole or not.

A segment is a header, records aligned to eight bytes, and zeros up to its preallocated size.

    header   magic 8 | source id 16 | first sequence u64 | batch before it u64 | chain before it 32
             | CRC32C u32 | 0 u32
    record   length of body u32 | CRC32C u32 | batch u64 | flags u32 | 0 u32 | chain 32 | body
    body     event id 16 | salt 16 | schema version u16 | length of type u16 | length of data u32
             | type | data | meta

Numbers are little-endian. The CRC covers all of a record behind it. chain = SHA-256(chain before || body);
a journal starts from SHA-256("letopis-journal-v1" || source id). The last record of a batch has the flag
COMMIT.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from uuid import UUID

import google_crc32c

from letopis.common.envelope import NewFact

MAGIC = b"LTPSJRN1"
COMMIT = 1
_SEGMENT = struct.Struct("<8s16sQQ32sII")
_RECORD = struct.Struct("<IIQII32s")
_BODY = struct.Struct("<16s16sHHI")
_CHECKED = 8
SEGMENT_HEADER = _SEGMENT.size
LARGEST_BODY = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a segment says of itself."""

    source_id: UUID
    first_seq: int
    batch: int
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as read back, where it ends in the segment, and the chain after it."""

    seq: int
    batch: int
    commit: bool
    fact: NewFact
    chain: bytes
    end: int


class Ending(Enum):
    """How the records of a segment end."""

    CLEAN = "clean"
    TORN = "torn"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The end of a segment's whole batches: next sequence, chain, offset, last batch, and what follows."""

    next_seq: int
    chain: bytes
    offset: int
    batch: int
    ending: Ending


def first_chain(source_id: UUID) -> bytes:
    return sha256(b"letopis-journal-v1" + source_id.bytes).digest()


def encode_header(header: Header) -> bytes:
    checked = _SEGMENT.pack(MAGIC, header.source_id.bytes, header.first_seq, header.batch, header.chain, 0, 0)[:-8]
    return checked + struct.pack("<II", google_crc32c.value(checked), 0)


def decode_header(buffer: bytes) -> Header | None:
    """The header of a segment, None if there is none or it does not check."""
    if len(buffer) < SEGMENT_HEADER:
        return None
    magic, source, first_seq, batch, chain, crc, _ = _SEGMENT.unpack_from(buffer)
    if magic != MAGIC or crc != google_crc32c.value(buffer[: SEGMENT_HEADER - 8]):
        return None
    return Header(source_id=UUID(bytes=source), first_seq=first_seq, batch=batch, chain=chain)


def encode_batch(facts: Sequence[NewFact], batch: int, chain: bytes) -> tuple[bytes, bytes]:
    """The bytes of a batch and the chain after it."""
    parts: list[bytes] = []
    last = len(facts) - 1
    for number, fact in enumerate(facts):
        kind = fact.type.encode("ascii")
        body = b"".join(
            (
                _BODY.pack(fact.event_id.bytes, fact.salt, fact.schema_version, len(kind), len(fact.data)),
                kind,
                fact.data,
                fact.meta,
            )
        )
        chain = sha256(chain + body).digest()
        flags = COMMIT if number == last else 0
        checked = _RECORD.pack(0, 0, batch, flags, 0, chain)[_CHECKED:] + body
        parts.extend((struct.pack("<II", len(body), google_crc32c.value(checked)), checked, bytes(-len(body) % 8)))
    return b"".join(parts), chain


def entries(buffer: bytes, header: Header, offset: int = SEGMENT_HEADER) -> Iterator[Entry]:
    """Records from the start of a segment until one is missing or bad; the last batch may be incomplete."""
    seq, chain = header.first_seq, header.chain
    while (entry := entry_at(buffer, offset, seq, chain)) is not None:
        yield entry
        seq, chain, offset = entry.seq + 1, entry.chain, entry.end


def entry_at(buffer: bytes, offset: int, seq: int, chain: bytes, base: int = 0) -> Entry | None:
    """The record at an offset if its length, CRC and chain are right; `base` is where the buffer begins."""
    found = _checked(buffer, offset)
    if found is None:
        return None
    batch, flags, stated, body, end = found
    if sha256(chain + body).digest() != stated:
        return None
    event_id, salt, schema_version, kind, data = _BODY.unpack_from(body)
    start = _BODY.size + kind
    fact = NewFact(
        event_id=UUID(bytes=event_id),
        type=body[_BODY.size : start].decode("ascii"),
        schema_version=schema_version,
        salt=salt,
        data=body[start : start + data],
        meta=body[start + data :],
    )
    return Entry(seq=seq, batch=batch, commit=bool(flags & COMMIT), fact=fact, chain=stated, end=base + end)


def tail(buffer: bytes, header: Header) -> Tail:
    """Where the whole batches end.

    Torn is what one interrupted write can leave: nothing good follows, or only parts of the very next batch,
    whose sync never returned and whose answers never left. A good record of a later batch behind a bad one
    is damage.
    """
    whole = Tail(
        next_seq=header.first_seq,
        chain=header.chain,
        offset=SEGMENT_HEADER,
        batch=header.batch,
        ending=Ending.CLEAN,
    )
    for entry in entries(buffer, header):
        if entry.commit:
            whole = Tail(
                next_seq=entry.seq + 1,
                chain=entry.chain,
                offset=entry.end,
                batch=entry.batch,
                ending=Ending.CLEAN,
            )
    if not any(buffer[whole.offset :]):
        return whole
    later = _later_batch(buffer, whole.offset, whole.batch + 1)
    ending = Ending.DAMAGED if later else Ending.TORN
    return Tail(next_seq=whole.next_seq, chain=whole.chain, offset=whole.offset, batch=whole.batch, ending=ending)


def _checked(buffer: bytes, offset: int) -> tuple[int, int, bytes, bytes, int] | None:
    if offset + _RECORD.size > len(buffer):
        return None
    length, crc, batch, flags, zero, stated = _RECORD.unpack_from(buffer, offset)
    stop = offset + _RECORD.size + length
    if not _BODY.size <= length <= LARGEST_BODY or stop > len(buffer) or flags & ~COMMIT or zero:
        return None
    if google_crc32c.value(buffer[offset + _CHECKED : stop]) != crc:
        return None
    return batch, flags, stated, buffer[stop - length : stop], stop + -length % 8


def _later_batch(buffer: bytes, offset: int, next_batch: int) -> bool:
    """Whether a good record of a batch after `next_batch` lies anywhere behind the offset."""
    stop = len(buffer.rstrip(b"\0"))
    while offset < stop:
        found = _checked(buffer, offset)
        if found is None:
            offset += 8
        elif found[0] > next_batch:
            return True
        else:
            offset = found[4]
    return False
