"""Rows of a Parquet file as the plan's typed values: the same values, and so the same scores, as over HTTP."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from letopis.common.errors import Invalid
from letopis.inference.scoring.plan import LARGEST, Input, Plan, Value

if TYPE_CHECKING:
    import pyarrow as pa


class FileUnfit(Invalid):
    """The file's columns do not fit the application."""

    code = "job.file_unfit"
    title = "The columns of the file do not fit the signature of this application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive rows: entity ids and one list of values a known column."""

    number: int
    first_row: int
    entity_ids: Sequence[str]
    columns: dict[str, list[Value]]
    numbers: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.entity_ids)

    def rows(self) -> Iterator[dict[str, Value]]:
        names = tuple(self.columns)
        if not names:
            return ({} for _ in self.entity_ids)
        return (dict(zip(names, values, strict=True)) for values in zip(*self.columns.values(), strict=True))

    def vectors(self, plan: Plan) -> NDArray[np.float64] | None:
        """The model's matrix straight from the columns; None if some have to be looked up."""
        if any(one.name not in self.numbers for one in plan.inputs):
            return None
        return np.column_stack([self.numbers[one.name] for one in plan.inputs])


def inspect(path: Path, plan: Plan) -> int:
    """The number of rows of a file that fits; FileUnfit names every column that does not."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise FileUnfit(f"this is no Parquet file: {error}") from None
    with file:
        schema = file.schema_arrow
        known = {one.name: one for one in plan.inputs}
        wrong = [
            f"{name} is not in the signature" for name in schema.names if name not in known and name != plan.entity
        ]
        for name, one in known.items():
            if name not in schema.names:
                if plan.bundle is None:
                    wrong.append(f"{name} is absent")
            elif not _carries(schema.field(name).type, one.kind):
                wrong.append(f"{name} is {schema.field(name).type}, not {one.kind}")
        if plan.bundle is not None and plan.entity not in schema.names:
            wrong.append(f"{plan.entity} is absent")
        if wrong:
            raise FileUnfit("; ".join(wrong))
        rows: int = file.metadata.num_rows
        return rows


def chunks(path: Path, plan: Plan, size: int) -> Iterator[Chunk]:
    """The file in chunks of `size` rows, the last one shorter; constant memory."""
    import pyarrow.parquet

    known = {one.name: one for one in plan.inputs}
    with pyarrow.parquet.ParquetFile(path) as file:
        first = 0
        for number, batch in enumerate(file.iter_batches(batch_size=size)):
            read = {name: _column(batch.column(name), one) for name, one in known.items() if name in batch.schema.names}
            ids = batch.column(plan.entity).to_pylist() if plan.entity in batch.schema.names else [None] * len(batch)
            entity_ids = ["" if one is None else str(one) for one in ids]
            yield Chunk(
                number=number,
                first_row=first,
                entity_ids=entity_ids,
                columns={name: values for name, (values, _) in read.items()},
                numbers={name: numbers for name, (_, numbers) in read.items()},
            )
            first += len(batch)


def _carries(kind: "pa.DataType", wanted: str) -> bool:
    from pyarrow import types

    number = types.is_integer(kind) or types.is_floating(kind)
    return bool(types.is_null(kind) or (types.is_boolean(kind) if wanted == "boolean" else number))


def _column(column: Any, one: Input) -> tuple[list[Value], NDArray[np.float64]]:
    """Python values for the record and numbers for the model; NaN is a missing value, as null is."""
    import pyarrow as pa

    if one.kind == "boolean":
        column = column.cast(pa.bool_())
        told: list[Value] = column.to_pylist()
        return told, column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    numbers: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    values: list[Value] = numbers.tolist()
    absent = np.isnan(numbers)
    if one.kind == "long":
        values = [None if gone else _whole(value, one.name) for value, gone in zip(values, absent, strict=True)]
    elif absent.any():
        values = [None if gone else value for value, gone in zip(values, absent, strict=True)]
    return values, numbers


def _whole(value: Value, name: str) -> int:
    number = float(value or 0.0)
    if not number.is_integer() or abs(number) > LARGEST:
        raise FileUnfit(f"{name} holds {number}, which is no whole number between -(2^53-1) and 2^53-1")
    return int(number)
