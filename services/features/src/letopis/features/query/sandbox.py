"""The connection in which a read runs: an in-memory DuckDB, locked down, holding only permitted and masked columns."""

from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from letopis.common.errors import Refused
from letopis.features.query.gate import quoted

# One thread: sums of floats then come out the same every time, which a data set's digest rests on.
_LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "1",
    "memory_limit": "1GB",
    "preserve_insertion_order": "true",
}


class SqlFailed(Refused):
    """The statement passed the gate and failed on the data, masked as it is."""

    code = "sql.failed"
    title = "The statement cannot run on these columns as they are masked for you"


class Sandbox:
    """Tables by name, and nothing else: no files, no network, no settings, no other database."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        import duckdb

        self._connection = duckdb.connect(config=_LOCKED)
        self._connection.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            self._connection.register(name, table)
        self._connection.execute("SET lock_configuration = true")

    def query(self, sql: str) -> Any:
        """The result as an Arrow table; SqlFailed if the data do not allow it."""
        import duckdb

        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise SqlFailed(f"the engine says: {(str(error).splitlines() or ['?'])[0][:200]}") from None

    def keep(self, name: str, sql: str) -> None:
        """Keep a statement's result as a table of this sandbox."""
        import duckdb

        try:
            self._connection.execute(f"CREATE TEMP TABLE {quoted(name)} AS {sql}")
        except duckdb.Error as error:
            raise SqlFailed(f"the engine says: {(str(error).splitlines() or ['?'])[0][:200]}") from None

    def columns(self, name: str) -> dict[str, str]:
        """The columns of a table and their DuckDB types."""
        rows = self._connection.execute(f"DESCRIBE {quoted(name)}").fetchall()
        return {str(row[0]): str(row[1]) for row in rows}

    def interrupt(self) -> None:
        """Stop what is running; safe from another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        with suppress(Exception):  # A connection that is gone already is closed enough.
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
