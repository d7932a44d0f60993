"""The lock store: the last sealed head of each log, outside the data, so that a restored backup cannot fork it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from letopis.audit.log.merkle import EMPTY_ROOT
from letopis.common import faults
from letopis.common.errors import EventStoreError

_TABLE = """
CREATE TABLE IF NOT EXISTS head (
    ledger TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (ledger, size)
) WITHOUT ROWID
"""


class HeadMoved(EventStoreError):
    """Another sealer was first: the lock store's head is not the one this batch was built on."""

    code = "checkpoint.head_moved"
    title = "Another sealer has sealed this ledger meanwhile"


@dataclass(frozen=True, slots=True)
class Locked:
    """The size and root that were sealed last."""

    size: int = 0
    root: bytes = EMPTY_ROOT


class LockStore:
    """Heads in a small SQLite file of their own; every head stays, the largest is the present one."""

    def __init__(self, path: Path) -> None:
        self.path = path

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
            connection.execute(_TABLE)
            yield connection
        finally:
            connection.close()
