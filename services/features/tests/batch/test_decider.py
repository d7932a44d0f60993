"""Batches are committed, then online; a rebuild of the online store is no news."""

from letopis.common.testing.decider import given
from letopis.features.batch.decider import BATCH, BatchExists, BatchUnknown, CommitBatch, RecordMaterialisation
from letopis.features.batch.events import BatchFile, FeatureBatchCommitted, FeatureBatchMaterialised

BATCHED = FeatureBatchCommitted(
    batch_id="b",
    view_id="behaviour.1",
    as_of="2005-07-01T00:00:00+00:00",
    files=(BatchFile(sha256="a" * 64, bytes=1, rows=3),),
    rows=3,
    min_event="",
    max_event="",
    min_known="",
    max_known="",
    sql_hash="b" * 64,
    engine="duckdb",
    snapshots={},
    masks={},
    tokens="k",
    features=("bill",),
    read_id="r",
    committed_by="anna",
)
RECORD = RecordMaterialisation(rows=3, written=3, state_digest="d")
ONLINE = FeatureBatchMaterialised(batch_id="b", view_id="behaviour.1", rows=3, written=3, state_digest="d")


def test_first_committed_then_online():
    given(BATCH).when(RECORD).refused(BatchUnknown)
    given(BATCH).when(CommitBatch(batch=BATCHED)).then(BATCHED)
    given(BATCH, BATCHED).when(RECORD).then(ONLINE)


def test_once_each():
    given(BATCH, BATCHED).when(CommitBatch(batch=BATCHED)).refused(BatchExists)
    given(BATCH, BATCHED, ONLINE).when(RECORD).then()
