"""Stored facts as the verifier needs them: from a database, bypassing every service, or from an owner's door."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg

from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.leaf import record_of
from letopis.audit.evidence.verifier.ledger import Row

PAGE = 5000
_FIELDS = (
    *("v", "ledger", "position", "stream", "version", "prev", "event_id", "type", "schema_version", "recorded_at"),
    *("command_id", "salt"),
)
# Spelled by the database itself, so that no driver's conversion stands between the row and its leaf.
_QUERY = """
    SELECT '1', ledger, position::text, stream, version::text, prev::text, event_id::text, type,
           schema_version::text, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           command_id::text, encode(salt, 'hex'), data, meta
    FROM {table} AS stored WHERE ledger = %s AND position <= %s ORDER BY stored.position
"""


def of_database(url: str, ledger: str, upto: int, *, copy: bool = False) -> Iterator[Row]:
    """Rows of a ledger in order: the owner's events or, if asked for, the chronicle's copy; never one for the other.

    Bad if the database has no such table.
    """
    table = "copy.record" if copy else "es.event"
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
            raise Bad(f"this database has no {table}", ledger)
        with connection.cursor(name="letopis_verify") as cursor:
            cursor.itersize = PAGE
            cursor.execute(_QUERY.format(table=table), (ledger, upto))
            for row in cursor:
                yield _row(row)


def of_door(door: httpx.Client, ledger: str, upto: int) -> Iterator[Row]:
    """Rows as the owner tells them over HTTP. Bad if the door refuses or tells what is no record."""
    after = 0
    while after < upto:
        try:
            answer = door.get(f"/v1/ledgers/{ledger}/facts", params={"after": after, "limit": PAGE})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Bad(f"cannot be read: {error}", f"{ledger}/{after + 1}") from error
        lines = answer.content.split(b"\n")[:-1]
        if not lines:
            return
        for line in lines:
            record = record_of(line)
            yield Row(record, record["data"].encode(), record["meta"].encode())
            after = int(record["position"])


def _row(row: tuple[Any, ...]) -> Row:
    plain = ("" if value is None else str(value) for value in row[:12])
    record = dict(zip(_FIELDS, plain, strict=True)) | {"data": "", "meta": ""}
    return Row(record, row[12] or b"", row[13] or b"")
