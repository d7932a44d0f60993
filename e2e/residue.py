"""Looking for planted marks in everything a stack keeps: every table, and every file in every wrapping."""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from e2e.stacks import Stack

ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b\x08"
# A file larger than this is no file of a test's stack; it would be read in pieces.
LARGEST = 256 << 20


class Marks:
    """Texts that must be found nowhere, in UTF-8, escaped as JSON does, and as PostgreSQL prints bytea."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        spelled: dict[bytes, str] = {}
        for text in texts:
            spelled[text.encode()] = text
            spelled[json.dumps(text)[1:-1].encode()] = text
            spelled[text.encode().hex().encode()] = text
        self._spelled = spelled

    def found(self, content: bytes) -> set[str]:
        return {text for one, text in self._spelled.items() if one in content}


def in_tables(stack: Stack, marks: Marks) -> dict[str, set[str]]:
    """By table (`database.schema.table`), every row of every database whole: texts, JSON and bytea."""
    with psycopg.connect(stack.superuser_url("postgres"), autocommit=True) as connection:
        names = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"
        databases = [name for (name,) in connection.execute(names)]
    told: dict[str, set[str]] = {}
    query = (
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND c.relpersistence <> 't'"
    )
    for database in databases:
        with psycopg.connect(stack.superuser_url(database), autocommit=True) as connection:
            tables = [name for (name,) in connection.execute(query)]
            for table in tables:
                try:
                    with connection.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                        rows = b"".join(bytes(piece) for piece in copy)
                except psycopg.errors.UndefinedTable:
                    # A view was built anew meanwhile; the new table has its own name.
                    continue
                if found := marks.found(rows):
                    told[f"{database}.{table}"] = found
    return told


def in_files(folder: Path, marks: Marks) -> dict[str, set[str]]:
    """By path below the folder: PostgreSQL's own files, streams, journals, tiles, objects, logs, packs."""
    told: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        try:
            if not path.is_file() or path.stat().st_size > LARGEST:
                continue
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        found: set[str] = set()
        for layer in layers(content):
            found |= marks.found(layer)
        if found:
            told[str(path.relative_to(folder))] = found
    return told


def layers(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and whatever is wrapped in them: zstd frames anywhere, gzip, zip members, Parquet columns."""
    yield content
    if depth == 3:
        return
    # A view, for a file of the log of PostgreSQL has thousands of frames, and each would copy all that follows it.
    whole, unpacked = memoryview(content), zstandard.ZstdDecompressor()
    for found in re.finditer(re.escape(ZSTD), content):
        try:
            yield unpacked.decompress(whole[found.start() :], max_output_size=LARGEST)
        except zstandard.ZstdError:
            continue
    if content.startswith(GZIP):
        yield from layers(gzip.decompress(content), depth + 1)
    if content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield from layers(archive.read(name), depth + 1)
        except (zipfile.BadZipFile, zlib.error):
            return
    if content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        yield _columns(content)


def _columns(content: bytes) -> bytes:
    """Every value of a Parquet file as text."""
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError):
        return b""
    return "\n".join(
        f"{value:.0f}" if isinstance(value, float) else str(value)
        for column in table.columns
        for value in column.to_pylist()
    ).encode()
