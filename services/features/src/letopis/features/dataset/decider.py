"""Training sets: built once; built again they must be the same; verified as often as anybody likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.dataset.events import FACTS, DatasetBuilt, DatasetFact, DatasetRebuilt, DatasetVerified


class DatasetUnknown(Refused):
    """Nothing was built under this id."""

    code = "dataset.unknown"
    title = "There is no such training set; build it first"


class DatasetDiverged(Refused):
    """The same recipe gave other bytes: something that makes a data set is not in its recipe."""

    code = "dataset.diverged"
    title = "The same recipe gave other rows than before; the stored training set stands, tell the operators"


class DatasetEmpty(Refused):
    """A training set has rows."""

    code = "dataset.empty"
    title = "The spine gave no rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDataset:
    built: DatasetBuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerification:
    """The SHA-256 found for each file of the manifest, "" for one that is not there."""

    found: Mapping[str, str]
    verified_by: str


DatasetCommand = RecordDataset | RecordVerification


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbuilt:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    manifest: DatasetBuilt


Dataset = Unbuilt | Built


def decide(state: Dataset, command: DatasetCommand) -> Sequence[DatasetFact]:
    match state, command:
        case Unbuilt(), RecordDataset(built=built):
            if not built.rows:
                raise DatasetEmpty
            return [built]
        case Unbuilt(), _:
            raise DatasetUnknown
        case Built(manifest=manifest), RecordDataset(built=built):
            if (built.files, built.columns, built.leak) != (manifest.files, manifest.columns, manifest.leak):
                raise DatasetDiverged
            return [DatasetRebuilt(dataset_id=manifest.dataset_id, read_id=built.read_id, built_by=built.built_by)]
        case Built(manifest=manifest), RecordVerification(found=found):
            damaged = tuple(file.sha256 for file in manifest.files if found.get(file.sha256) != file.sha256)
            return [
                DatasetVerified(
                    dataset_id=manifest.dataset_id,
                    intact=not damaged,
                    damaged=damaged,
                    verified_by=command.verified_by,
                )
            ]


def evolve(state: Dataset, fact: DatasetFact) -> Dataset:
    return Built(manifest=fact) if isinstance(fact, DatasetBuilt) else state


DATASET = Aggregate("dataset", Decider[DatasetCommand, DatasetFact, Dataset](Unbuilt(), decide, evolve), FACTS)
