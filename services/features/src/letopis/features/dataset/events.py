"""What is known of a training set."""

from dataclasses import dataclass
from typing import Any, Literal

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFile:
    """A Parquet file in the object store, named by its SHA-256."""

    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetColumn:
    """A column: what it is for, its class, how it is masked, and the view feature it comes from."""

    name: str
    type: str
    role: Literal["key", "time", "label", "feature", "split"]
    cls: str
    kind: str
    treatment: str
    view_id: str
    feature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """How many rows of a view a join on event time alone would have filled with values not known yet."""

    view_id: str
    rows: int
    leaked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetBuilt:
    """The manifest. `dataset_id` is the SHA-256 of `recipe`: everything that made it."""

    dataset_id: str
    name: str
    purpose: str
    bundle_id: str
    recipe: dict[str, Any]
    reads: dict[str, tuple[str, ...]]
    files: tuple[DatasetFile, ...]
    rows: int
    columns: tuple[DatasetColumn, ...]
    leak: tuple[Leak, ...]
    read_id: str
    built_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRebuilt:
    """The same recipe gave the same bytes again."""

    dataset_id: str
    read_id: str
    built_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVerified:
    """Its files were hashed again; `damaged` names those that are missing or differ."""

    dataset_id: str
    intact: bool
    damaged: tuple[str, ...]
    verified_by: str


DatasetFact = DatasetBuilt | DatasetRebuilt | DatasetVerified

FACTS = Catalogue(
    [
        ("features.dataset.built", 1, DatasetBuilt),
        ("features.dataset.rebuilt", 1, DatasetRebuilt),
        ("features.dataset.verified", 1, DatasetVerified),
    ]
)
