"""The scores of a job as a Parquet file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from letopis.inference.job.scorer import Outcome


@dataclass(slots=True)
class Output:
    """Written chunk by chunk: row, entity id, decision id, score, decision."""

    path: Path
    entity: str
    scored: int = 0
    refused: int = 0
    _writer: Any = field(default=None)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(
            {
                "row": pa.array([one.row for one in outcomes], pa.int64()),
                self.entity: pa.array([one.entity_id for one in outcomes], pa.string()),
                "decision_id": pa.array([one.decision_id for one in outcomes], pa.string()),
                "score": pa.array([one.score for one in outcomes], pa.float64()),
                "decision": pa.array([one.decision for one in outcomes], pa.string()),
            }
        )
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)
        done = sum(1 for one in outcomes if one.score is not None)
        self.scored += done
        self.refused += len(outcomes) - done

    def close(self) -> None:
        if self._writer is None:
            self.write([])
        self._writer.close()
