"""The files of sources: found below the source root, hashed, and read only if they still are what was recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from letopis.common.errors import Invalid, Refused
from letopis.features.query.sandbox import Sandbox
from letopis.features.source.events import ExtractFile, Proposal, SourceField
from letopis.features.source.recognise import recognise

SAMPLE = 1000
LARGEST = 2 * 1024**3


class FileUnusable(Invalid):
    """The path names no Parquet file below the source root."""

    code = "source.file_unusable"
    title = "The file cannot be taken as an extract"


class FileChanged(Refused):
    """The file is not the one of the extract record."""

    code = "source.file_changed"
    title = "A file of this extract is gone or has changed; record a new extract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at the files of an extract found."""

    files: tuple[ExtractFile, ...]
    columns: tuple[SourceField, ...]
    sampled_rows: int
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Lake:
    """Parquet files below one root; links that lead out of it are not followed."""

    root: Path

    def look(self, names: Sequence[str]) -> Looked:
        """Hash the files, read their columns, and let the recognisers see a sample; FileUnusable says why not."""
        import pyarrow as pa

        opened = [(name, *self._open(name)) for name in names]
        schemas = {table.schema.remove_metadata() for _, _, table in opened}
        if len(schemas) > 1:
            raise FileUnusable("the files of one extract have different columns")
        whole = pa.concat_tables([table for _, _, table in opened]) if opened else pa.table({})
        sample = _spread(whole)
        return Looked(
            files=tuple(
                ExtractFile(path=name, sha256=sha256(data).hexdigest(), bytes=len(data), rows=table.num_rows)
                for name, data, table in opened
            ),
            columns=_types(whole.schema),
            sampled_rows=sample.num_rows,
            proposals=tuple(_propose(name, sample.column(name)) for name in sample.column_names),
        )

    def load(self, files: Sequence[ExtractFile], columns: Sequence[str]) -> Any:
        """The columns of an extract as one Arrow table; FileChanged unless every byte is as recorded."""
        import pyarrow as pa

        tables = []
        for file in files:
            try:
                data, table = self._open(file.path, columns)
            except FileUnusable as error:
                raise FileChanged(error.detail, path=file.path) from error
            # The bytes that were hashed are the bytes that are parsed: nothing can change between the two.
            if sha256(data).hexdigest() != file.sha256:
                raise FileChanged(f"{file.path} differs from the extract record", path=file.path)
            tables.append(table)
        return pa.concat_tables(tables)

    def place(self, source_id: str, name: str) -> Path:
        """Where an uploaded file of a source lies; FileUnusable if it is there already: extracts rest on its bytes."""
        path = self.root / source_id / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() or not path.resolve().is_relative_to(self.root.resolve()):
            raise FileUnusable(f"{source_id}/{name} is there already; give the new file another name", path=name)
        return path

    def _open(self, name: str, columns: Sequence[str] | None = None) -> tuple[bytes, Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        root = self.root.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise FileUnusable(f"there is no file {name!r} below the source root", path=name)
        if path.stat().st_size > LARGEST:
            raise FileUnusable(f"{name} is larger than 2 GB; split it", path=name)
        data = path.read_bytes()
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
            named = {column.lower(): column for column in file.schema_arrow.names}
            if len(named) != len(file.schema_arrow.names):
                raise FileUnusable(f"{name} has columns that differ only in case", path=name)
            wanted = named.keys() if columns is None else [column for column in columns if column in named]
            table = file.read(columns=[named[column] for column in wanted], use_threads=False)
        except pa.ArrowException as error:
            raise FileUnusable(
                f"{name} is no readable Parquet: {str(error).splitlines()[0][:120]}", path=name
            ) from None
        return data, table.rename_columns([column.lower() for column in table.column_names])


def _spread(table: Any) -> Any:
    """At most SAMPLE rows, evenly spread, the same ones every time."""
    step = max(1, table.num_rows // SAMPLE)
    return table.take(list(range(0, table.num_rows, step))[:SAMPLE])


def _types(schema: Any) -> tuple[SourceField, ...]:
    """The columns with the types that the engine gives them."""
    with Sandbox({"columns": schema.empty_table()}) as sandbox:
        return tuple(SourceField(name=name, type=type) for name, type in sandbox.columns("columns").items())


def _propose(name: str, column: Any) -> Proposal:
    found = recognise(name, [None if value is None else str(value) for value in column.to_pylist()])
    return Proposal(
        column=name, cls="personal" if found.kind else "internal", kind=found.kind, share=found.share, by=found.by
    )


def treated_columns(treatments: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that a treatment lets through, in order."""
    return tuple(sorted(name for name, treatment in treatments.items() if treatment != "deny"))
