"""Leaves told a third time: from a record's text to the bytes whose hash stands in the tree."""

import json
import re
from hashlib import sha256
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any

from .fault import Bad

_PLAIN = (
    *("v", "ledger", "position", "stream", "version", "prev", "event_id", "type", "schema_version"),
    *("recorded_at", "command_id", "salt"),
)
FIELDS = (*_PLAIN, "data", "meta")
_NAMES = frozenset(FIELDS)
_ALL, _FEW = itemgetter(*FIELDS), itemgetter(*_PLAIN)
_LINE = "{" + ",".join(f'"{name}":%s' for name in FIELDS) + "}"
_COUNT = "[1-9][0-9]{0,18}"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6}Z"
_SHAPE = re.compile(
    f"1\n[a-z][a-z0-9-]*\n{_COUNT}\n[!-~]+\n{_COUNT}\n(?:0|{_COUNT})\n{_UUID}\n[!-~]+\n{_COUNT}\n{_TIME}\n"
    f"(?:{_UUID})?\n[0-9a-f]{{32}}",
    re.ASCII,
)


def record_of(line: bytes) -> dict[str, str]:
    """The record of one NDJSON line; Bad unless the line is the one spelling of fourteen strings."""
    try:
        text = line.decode()
        record: Any = json.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Bad(f"the line is not JSON: {error}") from None
    # Written again and compared, so that no key stands twice and nothing hides between the fields.
    if not isinstance(record, dict) or record.keys() != _NAMES or text != _spelled(record):
        raise Bad("the line is not a record in its one spelling")
    return record


def leaf_of(record: dict[str, str], data: bytes | None = None, meta: bytes | None = None) -> bytes:
    """RFC 8785 JSON of the thirteen leaf fields.

    `data` and `meta` are the stored bytes where they are at hand, else the record's text. Every field must
    have its one spelling; keys and values are ASCII, so sorting and escaping are those of RFC 8785.
    """
    plain: tuple[str, ...] = _FEW(record)
    if not _SHAPE.fullmatch("\n".join(plain)):
        raise Bad("a field of the record has not the form it must have")
    _, ledger, position, stream, version, prev, event_id, kind, schema_version, recorded_at, command_id, salt = plain
    grain = bytes.fromhex(salt)
    committed = sha256(b"\x02" + grain + (record["data"].encode() if data is None else data)).hexdigest()
    about = sha256(b"\x03" + grain + (record["meta"].encode() if meta is None else meta)).hexdigest()
    return (
        f'{{"command_id":"{command_id}","commitment":"{committed}","event_id":"{event_id}","ledger":"{ledger}",'
        f'"meta":"{about}","position":"{position}","prev":"{prev}","recorded_at":"{recorded_at}",'
        f'"schema_version":"{schema_version}","stream":{encode_basestring(stream)},"type":{encode_basestring(kind)},'
        f'"v":"1","version":"{version}"}}'
    ).encode()


def _spelled(record: dict[str, Any]) -> str:
    """The record's one spelling, or no text at all if a value is not a string."""
    try:
        return _LINE % tuple(map(encode_basestring, _ALL(record)))
    except TypeError:
        return ""
