"""The leaf of a stored fact: what the transparency log hashes (RFC 8785 JSON of strings, RFC 6962 leaf hash)."""

from hashlib import sha256

import msgspec

from letopis.common.envelope import Record, time_text

_ENCODER = msgspec.json.Encoder(order="sorted")


def commitment(salt: bytes, data: bytes) -> str:
    """Hides the content behind sixteen random bytes: hex SHA-256(0x02 || salt || data)."""
    return sha256(b"\x02" + salt + data).hexdigest()


def meta_hash(salt: bytes, meta: bytes) -> str:
    """The same of the circumstances: hex SHA-256(0x03 || salt || meta)."""
    return sha256(b"\x03" + salt + meta).hexdigest()


def leaf_bytes(record: Record) -> bytes:
    """RFC 8785 JSON of the thirteen leaf fields; ledger, stream and type are ASCII, so code points sort as bytes."""
    return _ENCODER.encode(
        {
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
            "commitment": commitment(record.salt, record.data),
            "meta": meta_hash(record.salt, record.meta),
        }
    )


def leaf_hash(record: Record) -> bytes:
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""
    return sha256(b"\x00" + leaf_bytes(record)).digest()
