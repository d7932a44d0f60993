"""The lock store: the last sealed head of each log, outside the data, so that a restored backup cannot fork it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from letopis.audit.log.merkle import EMPTY_ROOT
from letopis.common import faults
from letopis.common.errors import EventStoreError

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS head (
        ledger TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (ledger, size)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS succession (
        number INTEGER PRIMARY KEY, ledger TEXT NOT NULL, log TEXT NOT NULL UNIQUE, closed TEXT NOT NULL,
        size INTEGER NOT NULL, root BLOB NOT NULL, kept INTEGER NOT NULL, kept_root BLOB NOT NULL
    )
    """,
)


class HeadMoved(EventStoreError):
    """Another sealer was first: the lock store's head is not the one this batch was built on."""

    code = "checkpoint.head_moved"
    title = "Another sealer has sealed this ledger meanwhile"


@dataclass(frozen=True, slots=True)
class Locked:
    """The size and root that were sealed last."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A log that was closed at its last known head, and the log that tells the ledger from then on.

    The facts up to `kept` are those that the closed log sealed; what it sealed after them is lost.
    """

    ledger: str
    log: str
    closed: str
    sealed: Locked
    kept: Locked


class LockStore:
    """Heads in a small SQLite file of their own; every head stays, the largest is the present one.

    A ledger's first log has the ledger's name; after a declared loss another log succeeds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = (0, 0)
        self._logs: dict[str, str] = {}

    def log(self, ledger: str) -> str:
        """The name of the log that a ledger is sealed in now."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return ledger
        if self._seen != (status.st_mtime_ns, status.st_ino):
            with self._open() as connection:
                query = "SELECT ledger, log FROM succession ORDER BY number"
                self._logs = dict(connection.execute(query).fetchall())
            self._seen = (status.st_mtime_ns, status.st_ino)
        return self._logs.get(ledger, ledger)

    def succeed(self, one: Succession) -> None:
        """Let another log succeed; said again it changes nothing."""
        with self._open() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO succession (ledger, log, closed, size, root, kept, kept_root) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (one.ledger, one.log, one.closed, one.sealed.size, one.sealed.root, one.kept.size, one.kept.root),
            )
        self._seen = (0, 0)

    def successions(self, ledger: str) -> list[Succession]:
        """Every log of a ledger that succeeded another, oldest first."""
        query = "SELECT log, closed, size, root, kept, kept_root FROM succession WHERE ledger = ? ORDER BY number"
        with self._open() as connection:
            rows = connection.execute(query, (ledger,)).fetchall()
        return [
            Succession(ledger=ledger, log=log, closed=closed, sealed=Locked(size, root), kept=Locked(kept, kept_root))
            for log, closed, size, root, kept, kept_root in rows
        ]

    def heads(self, ledger: str) -> list[Locked]:
        """Every head that was sealed, smallest first."""
        with self._open() as connection:
            query = "SELECT size, root FROM head WHERE ledger = ? ORDER BY size"
            return [Locked(*row) for row in connection.execute(query, (ledger,))]

    def head(self, ledger: str) -> Locked:
        """The last sealed head, that of the empty tree if there is none."""
        with self._open() as connection:
            return self._last(connection, ledger)

    def advance(self, ledger: str, before: Locked, after: Locked) -> None:
        """Compare and swap: `after` becomes the head if `before` is; it MUST be durable before anything is signed."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if self._last(connection, ledger) != before or after.size <= before.size:
                raise HeadMoved(f"{ledger} is no longer at {before.size}")
            connection.execute("INSERT INTO head VALUES (?, ?, ?)", (ledger, after.size, after.root))
            faults.point("lock.inserted")
            connection.execute("COMMIT")

    def sealed(self, ledger: str, size: int) -> Locked | None:
        """The head of that size, if one was sealed."""
        with self._open() as connection:
            query = "SELECT size, root FROM head WHERE ledger = ? AND size = ?"
            row = connection.execute(query, (ledger, size)).fetchone()
        return Locked(*row) if row else None

    @staticmethod
    def _last(connection: sqlite3.Connection, ledger: str) -> Locked:
        query = "SELECT size, root FROM head WHERE ledger = ? ORDER BY size DESC LIMIT 1"
        row = connection.execute(query, (ledger,)).fetchone()
        return Locked(*row) if row else Locked()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = EXTRA")
            for table in _TABLES:
                connection.execute(table)
            yield connection
        finally:
            connection.close()
