"""Training sets: the same recipe, the same bytes, or a refusal."""

from dataclasses import replace

from letopis.common.testing.decider import given
from letopis.features.dataset.decider import (
    DATASET,
    DatasetDiverged,
    DatasetEmpty,
    DatasetUnknown,
    RecordDataset,
    RecordVerification,
)
from letopis.features.dataset.events import DatasetBuilt, DatasetFile, DatasetRebuilt, DatasetVerified, Leak
from letopis.features.dataset.manifest import Split, dataset_id, recipe

SHA = "a" * 64
BUILT = DatasetBuilt(
    dataset_id="d",
    name="June",
    purpose="credit",
    bundle_id="credit.1",
    recipe={"format": "letopis-dataset-v1"},
    reads={"panel": ("bill",)},
    files=(DatasetFile(sha256=SHA, bytes=10, rows=3),),
    rows=3,
    columns=(),
    leak=(Leak(view_id="behaviour.1", rows=3, leaked=0),),
    read_id="r1",
    built_by="anna",
)
MADE_OF = {
    "bundle_id": "credit.1",
    "views": {"behaviour.1": "b" * 64},
    "spine_sql": "SELECT 1",
    "snapshots": {"panel": "c" * 64},
    "known_time": "source",
    "known_until": "",
    "split": Split(seed=1, test_share=0.3),
    "masks": {"panel": {"bill": "clear"}},
    "tokens": "k",
    "engines": ("duckdb 2", "pyarrow 25"),
}


class TestRecord:
    def test_once_then_again_the_same(self):
        given(DATASET).when(RecordDataset(built=BUILT)).then(BUILT)
        again = replace(BUILT, name="other words", read_id="r2", built_by="boris")
        rebuilt = DatasetRebuilt(dataset_id="d", read_id="r2", built_by="boris")
        given(DATASET, BUILT).when(RecordDataset(built=again)).then(rebuilt)

    def test_other_bytes_of_the_same_recipe_are_refused(self):
        other = replace(BUILT, files=(DatasetFile(sha256="b" * 64, bytes=10, rows=3),))
        given(DATASET, BUILT).when(RecordDataset(built=other)).refused(DatasetDiverged)

    def test_no_rows_no_set(self):
        given(DATASET).when(RecordDataset(built=replace(BUILT, rows=0))).refused(DatasetEmpty)


class TestVerify:
    def test_says_what_is_damaged(self):
        for found, damaged in (({SHA: SHA}, ()), ({SHA: ""}, (SHA,)), ({}, (SHA,))):
            verified = DatasetVerified(dataset_id="d", intact=not damaged, damaged=damaged, verified_by="irina")
            given(DATASET, BUILT).when(RecordVerification(found=found, verified_by="irina")).then(verified)

    def test_of_nothing_built(self):
        given(DATASET).when(RecordVerification(found={}, verified_by="irina")).refused(DatasetUnknown)


class TestId:
    def test_everything_that_makes_a_set_is_in_its_id(self):
        id = dataset_id(recipe(**MADE_OF))
        changes = {
            "bundle_id": "credit.2",
            "views": {"behaviour.2": "b" * 64},
            "spine_sql": "SELECT 2",
            "snapshots": {"panel": "d" * 64},
            "known_time": "event",
            "known_until": "2005-07-01 00:00:00",
            "split": None,
            "masks": {"panel": {"bill": "null"}},
            "tokens": "other",
            "engines": ("duckdb 3", "pyarrow 25"),
        }
        assert changes.keys() == MADE_OF.keys()
        ids = {dataset_id(recipe(**(MADE_OF | {name: value}))) for name, value in changes.items()}
        assert len(ids | {id}) == len(changes) + 1

    def test_order_of_naming_does_not_matter(self):
        turned = MADE_OF | {"engines": ("pyarrow 25", "duckdb 2")}
        assert dataset_id(recipe(**turned)) == dataset_id(recipe(**MADE_OF))
