"""The owner's door in reverse: a ledger that lost its end gets the same facts back from audit's copy, byte for byte."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg

from letopis.common.errors import LetopisError
from letopis.common.ledgers import OWNERS
from letopis.local import control
from letopis.local.backup.restoring import StackRuns, databases_up
from letopis.local.postgres.provision import in_database

_COLUMNS = (
    "ledger, position, stream, version, prev, event_id, type, schema_version, recorded_at, command_id, salt, data, meta"
)
_OWNED = "SELECT head FROM es.ledger WHERE ledger = %s"
_COPIED = "SELECT coalesce(max(position), 0) FROM copy.record WHERE ledger = %s"
# Hashed by the database over every column, so that two histories that only look alike are told apart.
_HASHES = """
    SELECT position, sha256(convert_to(concat_ws('|', stream, version, prev, event_id, type, schema_version,
        extract(epoch FROM recorded_at), command_id, encode(salt, 'hex'), encode(data, 'hex'), encode(meta, 'hex')),
        'UTF8'))
    FROM {table} WHERE ledger = %s AND position > %s AND position <= %s ORDER BY position
"""
# Partitions that left for the archive are sealed and told from there; only what is still stored is compared.
_RETIRED = "SELECT coalesce(max(last_pos), 0) FROM es.archive WHERE ledger = %s"
_STREAMS = """
    INSERT INTO es.stream (ledger, stream, version, last_position)
    SELECT DISTINCT ON (stream) ledger, stream, version, position FROM es.event
    WHERE ledger = %s AND position > %s AND stream NOT LIKE 'journal:%%' ORDER BY stream, position DESC
    ON CONFLICT (ledger, stream) DO UPDATE
        SET version = excluded.version, last_position = excluded.last_position
"""
_SOURCES = """
    INSERT INTO es.source (ledger, source_id, last_seq, last_position)
    SELECT DISTINCT ON (stream) ledger, substr(stream, 9)::uuid, version, position FROM es.event
    WHERE ledger = %s AND position > %s AND stream LIKE 'journal:%%' ORDER BY stream, position DESC
    ON CONFLICT (ledger, source_id) DO UPDATE
        SET last_seq = excluded.last_seq, last_position = excluded.last_position
"""
# The request itself is not in the fact, so a retry of a lost command is refused rather than done twice.
_COMMANDS = """
    INSERT INTO es.command (ledger, command_id, request_hash, first_pos, last_pos)
    SELECT ledger, command_id, ''::bytea, min(position), max(position) FROM es.event
    WHERE ledger = %s AND position > %s AND command_id IS NOT NULL GROUP BY ledger, command_id
    ON CONFLICT DO NOTHING
"""


class Diverged(LetopisError):
    """The ledger and its copy tell different facts at a position; giving back the rest would make a third history."""

    code = "local.refill_diverged"
    title = "The ledger went on after it was restored; it cannot be refilled"


def refill(data: Path) -> dict[str, tuple[int, int]]:
    """Refill every ledger that is shorter than audit's copy; the first and last position given back, by ledger."""
    if control.running(data):
        raise StackRuns(f"over {data}")
    with control.Lock(data), databases_up(data) as (server, _):
        found = {}
        with psycopg.connect(in_database(server, "letopis_audit")) as audit:
            for ledger, owner in OWNERS.items():
                with psycopg.connect(in_database(server, f"letopis_{owner}")) as own:
                    if (span := refill_ledger(audit, own, ledger)) is not None:
                        found[ledger] = span
    return found


def refill_ledger(
    audit: psycopg.Connection[Any], owner: psycopg.Connection[Any], ledger: str
) -> tuple[int, int] | None:
    """Give one ledger back what only the copy has, in one transaction; None if nothing is missing.

    Diverged names the first position at which the two differ.
    """
    have, known = _number(owner, _OWNED, ledger), _number(audit, _COPIED, ledger)
    if have >= known:
        return None
    _same(audit, owner, ledger, have)
    owner.execute(
        "SELECT es.open_partition(%s, number) "
        "FROM generate_series(%s / es.partition_size(), (%s - 1) / es.partition_size()) AS number",
        (ledger, have, known),
    )
    source = f"COPY (SELECT {_COLUMNS} FROM copy.record WHERE ledger = %s AND position > %s) TO STDOUT (FORMAT binary)"
    with (
        audit.cursor() as reading,
        owner.cursor() as writing,
        reading.copy(source.encode(), (ledger, have)) as facts,
        writing.copy(f"COPY es.event ({_COLUMNS}) FROM STDIN (FORMAT binary)".encode()) as target,
    ):
        for block in facts:
            target.write(block)
    owner.execute("UPDATE es.ledger SET head = %s WHERE ledger = %s", (known, ledger))
    for statement in (_STREAMS, _SOURCES, _COMMANDS):
        owner.execute(statement.encode(), (ledger, have))
    owner.commit()
    return have + 1, known


def _number(connection: psycopg.Connection[Any], query: str, ledger: str) -> int:
    row = connection.execute(query.encode(), (ledger,)).fetchone()
    return int(row[0]) if row else 0


def _same(audit: psycopg.Connection[Any], owner: psycopg.Connection[Any], ledger: str, upto: int) -> None:
    retired = _number(owner, _RETIRED, ledger)
    with audit.cursor(name="copied") as copied, owner.cursor(name="owned") as owned:
        copied.execute(_HASHES.format(table="copy.record").encode(), (ledger, retired, upto))
        owned.execute(_HASHES.format(table="es.event").encode(), (ledger, retired, upto))
        for position, (mine, theirs) in enumerate(zip_longest(copied, owned), retired + 1):
            if mine is None or mine != theirs or mine[0] != position:
                raise Diverged(f"{ledger}/{position} is another fact than audit's copy of it")
