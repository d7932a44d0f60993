"""The leaf of a stored fact: what the transparency log hashes (RFC 8785 JSON of strings, RFC 6962 leaf hash)."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from letopis.common.envelope import Record, record_to_json

_ENCODER = msgspec.json.Encoder(order="sorted")


def commitment(salt: bytes, data: bytes) -> str:
    """Hides the content behind sixteen random bytes: hex SHA-256(0x02 || salt || data)."""
    return sha256(b"\x02" + salt + data).hexdigest()


def meta_hash(salt: bytes, meta: bytes) -> str:
    """The same of the circumstances: hex SHA-256(0x03 || salt || meta)."""
    return sha256(b"\x03" + salt + meta).hexdigest()


def leaf_bytes(record: Record) -> bytes:
    """RFC 8785 JSON of the thirteen leaf fields; ledger, stream and type are ASCII, so code points sort as bytes."""
    return _leaf(record, record_to_json(record))


def leaf_hash(record: Record) -> bytes:
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""
    return leaf_hash_told(record, record_to_json(record))


def leaf_hash_told(record: Record, told: Mapping[str, str]) -> bytes:
    """The same for whoever has the record's JSON shape at hand already."""
    return sha256(b"\x00" + _leaf(record, told)).digest()


def _leaf(record: Record, told: Mapping[str, str]) -> bytes:
    """The record as it travels, with hashes in the place of its salt and its contents."""
    leaf = dict(told)
    del leaf["salt"], leaf["data"]
    leaf["commitment"] = commitment(record.salt, record.data)
    leaf["meta"] = meta_hash(record.salt, record.meta)
    return _ENCODER.encode(leaf)
