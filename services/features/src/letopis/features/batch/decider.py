"""Batches: committed as files first, then online; writing online again changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.batch.events import FACTS, BatchFact, FeatureBatchCommitted, FeatureBatchMaterialised


class BatchExists(Refused):
    """The id is taken."""

    code = "batch.exists"
    title = "A batch with this id was committed already"


class BatchUnknown(Refused):
    """Online values come from committed batches only."""

    code = "batch.unknown"
    title = "There is no such batch; commit it first"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitBatch:
    batch: FeatureBatchCommitted


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMaterialisation:
    rows: int
    written: int
    state_digest: str


BatchCommand = CommitBatch | RecordMaterialisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncommitted:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    batch: FeatureBatchCommitted
    online: bool = False


Batch = Uncommitted | Committed


def decide(state: Batch, command: BatchCommand) -> Sequence[BatchFact]:
    match state, command:
        case Uncommitted(), CommitBatch(batch=batch):
            return [batch]
        case Uncommitted(), _:
            raise BatchUnknown
        case Committed(), CommitBatch():
            raise BatchExists
        case Committed(online=True), RecordMaterialisation():
            # A rebuild of the online store repeats what is recorded; it is no news.
            return []
        case Committed(batch=batch), RecordMaterialisation():
            return [
                FeatureBatchMaterialised(
                    batch_id=batch.batch_id,
                    view_id=batch.view_id,
                    rows=command.rows,
                    written=command.written,
                    state_digest=command.state_digest,
                )
            ]


def evolve(state: Batch, fact: BatchFact) -> Batch:
    match state, fact:
        case _, FeatureBatchCommitted():
            return Committed(batch=fact)
        case Committed(batch=batch), FeatureBatchMaterialised():
            return Committed(batch=batch, online=True)
        case _:
            return state


BATCH = Aggregate("batch", Decider[BatchCommand, BatchFact, Batch](Uncommitted(), decide, evolve), FACTS)
