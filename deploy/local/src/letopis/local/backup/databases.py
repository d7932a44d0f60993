"""One database out and in, with PostgreSQL's own tools: pg_dump from a snapshot, pg_restore into an empty database."""

import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from letopis.common.errors import LetopisError
from letopis.local.backup.manifest import Dumped
from letopis.local.postgres.server import binary


class DatabaseError(LetopisError):
    """PostgreSQL's tool says no."""

    code = "local.database_tool"
    title = "A database could not be written or read"


def dump(url: str, target: Path, name: str) -> Dumped:
    """Write a database as one snapshot shows it; the heads told are those of the same snapshot.

    It takes no lock that a service waits for.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        heads = _heads(connection, "es.ledger", "SELECT ledger, head FROM es.ledger")
        copies = _heads(connection, "copy.record", "SELECT ledger, max(position) FROM copy.record GROUP BY ledger")
        row = connection.execute("SELECT string_agg(version_num, ' ') FROM alembic_version").fetchone()
        _tool("pg_dump", url, "--format=custom", "--compress=6", f"--snapshot={snapshot}", f"--file={target}")
    target.chmod(0o600)
    return Dumped(file=name, migration=str(row[0]) if row else "", heads=heads, copies=copies)


def load(url: str, source: Path) -> None:
    """Fill an empty database; all of it in one transaction."""
    _tool("pg_restore", url, "--exit-on-error", "--single-transaction", f"--dbname={_named(url)}", str(source))


def version(url: str) -> int:
    """The server's version, as 180001."""
    with psycopg.connect(url) as connection:
        return connection.info.server_version


def _heads(connection: psycopg.Connection, table: str, query: str) -> dict[str, int]:
    if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
        return {}
    return dict(connection.execute(query.encode()).fetchall())


def _tool(program: str, url: str, *options: str) -> None:
    """The password goes by the environment, where no list of processes shows it."""
    parts = urlsplit(url)
    secrets = {"PGPASSWORD": unquote(parts.password or "")}
    named = [] if program == "pg_restore" else [_named(url)]
    ended = subprocess.run(
        [binary(program), "--no-password", *options, *named],
        env=os.environ | secrets,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise DatabaseError(f"{program} of {parts.path[1:]}: {ended.stderr.strip()[-2000:]}")


def _named(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl()
