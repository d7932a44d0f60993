"""What is known of a batch: the values of a view at one moment, as files, and that they went online."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFile:
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBatchCommitted:
    """The newest known row of each key at `as_of`; times are ISO 8601 in UTC, "" where there are no rows."""

    batch_id: str
    view_id: str
    as_of: str
    files: tuple[BatchFile, ...]
    rows: int
    min_event: str
    max_event: str
    min_known: str
    max_known: str
    sql_hash: str
    engine: str
    snapshots: dict[str, str]
    masks: dict[str, dict[str, str]]
    tokens: str
    features: tuple[str, ...]
    read_id: str
    committed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBatchMaterialised:
    """Every row was offered to the online store: `written` were newer than (or equal to) what stood there."""

    batch_id: str
    view_id: str
    rows: int
    written: int
    state_digest: str


BatchFact = FeatureBatchCommitted | FeatureBatchMaterialised

FACTS = Catalogue(
    [
        ("features.batch.committed", 1, FeatureBatchCommitted),
        ("features.batch.materialised", 1, FeatureBatchMaterialised),
    ]
)
