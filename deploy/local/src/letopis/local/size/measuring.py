"""Reading sizes from what runs: relations of PostgreSQL, streams of NATS, files of tiles and journals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nats
import psycopg
from nats.js.errors import NotFoundError

from letopis.common.ledgers import LEDGERS, OWNERS
from letopis.local.environment import Secrets, nats_url, superuser_url
from letopis.local.plan import Plan
from letopis.local.postgres.provision import in_database
from letopis.local.size.forecast import LedgerSize, Size, Sizes
from letopis.local.topology import stream_of

# An index without a row has one page, a table and its toast have none; maps of free and visible pages hardly grow.
_PAGE = 8192
# All leaves below a partitioned table; another table's name tells what belongs to it alone.
_TABLES = """
    WITH leaf AS (SELECT relid FROM pg_partition_tree(%s::regclass) WHERE isleaf)
    SELECT coalesce(sum(pg_relation_size(relid)), 0)::bigint,
           coalesce(sum(pg_indexes_size(relid)), 0)::bigint,
           coalesce(sum(pg_table_size(relid) - pg_relation_size(relid)), 0)::bigint,
           (SELECT count(*) FROM pg_index JOIN leaf ON indrelid = relid)::bigint,
           (SELECT coalesce(sum(pg_relation_size(reltoastrelid)
                                + greatest(pg_indexes_size(reltoastrelid) - 8192, 0)), 0)
            FROM leaf JOIN pg_class ON pg_class.oid = relid WHERE reltoastrelid <> 0)::bigint
    FROM leaf
"""
_VIEWS = """
    SELECT regexp_replace(nspname, '_v[0-9]+_[0-9]+$', ''), sum(pg_total_relation_size(c.oid))::bigint,
           sum(8192 * ((SELECT count(*) FROM pg_index WHERE indrelid = c.oid)
                       + CASE WHEN c.reltoastrelid <> 0 THEN 1 ELSE 0 END)
               + pg_relation_size(c.oid, 'fsm') + pg_relation_size(c.oid, 'vm'))::bigint
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE nspname LIKE 'rm\\_%' AND c.relkind IN ('r', 'm') GROUP BY 1 ORDER BY 1
"""


async def measure(plan: Plan, secrets: Secrets) -> Sizes:
    """The sizes of a running installation, now."""
    server = superuser_url(plan, secrets)
    buses = await streams(nats_url(plan), secrets.admin_seed.read_text("ascii"))
    ledgers, views = [], dict[str, Size]()
    with psycopg.connect(in_database(server, "letopis_audit")) as audit:
        for ledger, owner in OWNERS.items():
            with psycopg.connect(in_database(server, f"letopis_{owner}")) as own:
                tiles = tiles_of(plan.data / "objects" / "log", ledger)
                ledgers.append(of_ledger(own, audit, ledger, bus=buses.get(ledger, 0), tiles=tiles))
                views |= {f"{owner}.{name}": size for name, size in of_views(own).items()}
    with psycopg.connect(in_database(server, "letopis_inference")) as inference:
        written, each = journal_of(plan.data / "state" / "inference" / "journal", inference)
    return Sizes(ledgers=tuple(ledgers), views=views, journal=written, a_journal_record=each)


def of_ledger(
    owner: psycopg.Connection[Any], audit: psycopg.Connection[Any], ledger: str, *, bus: int, tiles: int
) -> LedgerSize:
    """One ledger; streams and commands, which grow with it, count among its indexes."""
    row = owner.execute("SELECT head FROM es.ledger WHERE ledger = %s", (ledger,)).fetchone()
    own = _relations(owner, f"es.event_{ledger.replace('-', '_')}")
    own["indexes"] += _aside(owner, ledger)
    copy = sum(_relations(audit, f"copy.record_{ledger.replace('-', '_')}").values(), Size())
    places = {**own, "copy": copy, "bus": Size(bytes=bus), "tiles": Size(bytes=tiles)}
    return LedgerSize(ledger=ledger, facts=int(row[0]) if row else 0, places=places)


def of_views(connection: psycopg.Connection[Any]) -> dict[str, Size]:
    """Every view of one database, all generations of it together."""
    rows = connection.execute(_VIEWS.encode()).fetchall()
    return {name.removeprefix("rm_"): Size(bytes=size, fixed=min(size, empty)) for name, size, empty in rows}


async def streams(url: str, seed: str) -> dict[str, int]:
    """Bytes of each ledger's stream; what has no stream is left out."""
    client = await nats.connect(url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_admin")
    try:
        js, found = client.jetstream(), dict[str, int]()
        for ledger in LEDGERS:
            try:
                found[ledger] = (await js.stream_info(stream_of(ledger))).state.bytes
            except NotFoundError:
                continue
        return found
    finally:
        await client.close()


def tiles_of(logs: Path, ledger: str) -> int:
    """Bytes of all tiles of a ledger, those of its closed logs included."""
    return _files(logs / ledger) + sum(_files(one / ledger) for one in logs.glob("since-*"))


def journal_of(folder: Path, inference: psycopg.Connection[Any]) -> tuple[int, float]:
    """Bytes that the journals hold, and bytes a shipped record takes; a segment is made whole and then filled."""
    shipped: Mapping[str, int] = dict(
        inference.execute("SELECT source_id::text, last_seq FROM es.source WHERE ledger = 'decisions'").fetchall()
    )
    held, written, records = 0, 0, 0
    for journal in folder.glob("*-*-*-*-*"):
        segments = sorted(journal.glob("*.seg"))
        filled = sum(len(one.read_bytes().rstrip(b"\0")) for one in segments)
        held += sum(one.stat().st_blocks * 512 for one in segments)
        if segments and journal.name in shipped:
            written += filled
            records += max(0, shipped[journal.name] - int(segments[0].stem) + 1)
    return held, written / records if records else 0.0


def _relations(connection: psycopg.Connection[Any], table: str) -> dict[str, Size]:
    row = connection.execute(_TABLES.encode(), (table,)).fetchone()
    heap, indexes, toast, count, toasted = row or (0, 0, 0, 0, 0)
    return {
        "heap": Size(bytes=heap),
        "indexes": Size(bytes=indexes, fixed=min(indexes, count * _PAGE)),
        "toast": Size(bytes=toast, fixed=toast - toasted),
    }


def _aside(connection: psycopg.Connection[Any], ledger: str) -> Size:
    """The ledger's share, by rows, of the tables that all ledgers of a database have together."""
    total = Size()
    for table in ("stream", "command", "source"):
        query = f"""
            SELECT count(*) FILTER (WHERE ledger = %s), count(*), pg_total_relation_size('es.{table}'),
                   pg_relation_size('es.{table}', 'fsm') + pg_relation_size('es.{table}', 'vm')
            FROM es.{table}
        """
        mine, everybody, size, maps = connection.execute(query.encode(), (ledger,)).fetchone() or (0, 0, 0, 0)
        if everybody:
            total += Size(bytes=size * mine // everybody, fixed=min(size, _PAGE + maps) * mine // everybody)
    return total


def _files(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
