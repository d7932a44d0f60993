"""What is known of a source: where it comes from, its extracts, what its columns hold."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue
from letopis.features.source.classes import ColumnClass, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceField:
    """A column as the engine reads it: `type` is DuckDB's name."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractFile:
    """A Parquet file below the source root, and the SHA-256 it must have at every read."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a recogniser thinks of a column: the share of sampled values that fit, and by what it knew."""

    column: str
    cls: ColumnClass
    kind: str
    share: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRegistered:
    source_id: str
    name: str
    zone: Zone
    description: str
    owner: str
    licence: str
    purpose: str
    registered_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRecorded:
    """A load: which files, from which job, by whom and why. `snapshot_id` is a digest of the files."""

    source_id: str
    extract_id: str
    snapshot_id: str
    files: tuple[ExtractFile, ...]
    rows: int
    columns: tuple[SourceField, ...]
    job: str
    reason: str
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesProposed:
    source_id: str
    extract_id: str
    sampled_rows: int
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesConfirmed:
    """A person says what the columns hold; columns not named stay as they were."""

    source_id: str
    classes: dict[str, ColumnClass]
    kinds: dict[str, str]
    confirmed_by: str
    reason: str


SourceFact = SourceRegistered | ExtractRecorded | ClassesProposed | ClassesConfirmed

FACTS = Catalogue(
    [
        ("features.source.registered", 1, SourceRegistered),
        ("features.source.extract_recorded", 1, ExtractRecorded),
        ("features.source.classes_proposed", 1, ClassesProposed),
        ("features.source.classes_confirmed", 1, ClassesConfirmed),
    ]
)
