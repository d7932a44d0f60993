"""What is known of a read: all of it before the first row leaves, then what left."""

from dataclasses import dataclass
from typing import Literal

from letopis.common.serialization import Catalogue

ReadKind = Literal["query", "profile", "dataset", "download", "batch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStarted:
    """Who and why stand in the meta, with the policy's answer; here is what is about to be read.

    `parsed` and `planned` are the columns that the parser and the bound plan see; `masks` say how each is shown;
    `tokens` names the key of the purpose's tokens; `sql_hashes` are those of the canonical statements; `snapshots`
    are the digests of the extracts read. `object_id` names what the read is for (a data set, a batch), if anything.
    """

    read_id: str
    kind: ReadKind
    object_id: str
    person: str
    purpose: str
    grants: tuple[str, ...]
    parsed: dict[str, tuple[str, ...]]
    planned: dict[str, tuple[str, ...]]
    masks: dict[str, dict[str, str]]
    tokens: str
    sql_hashes: tuple[str, ...]
    snapshots: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCompleted:
    """What left: rows, bytes and the SHA-256 of those bytes."""

    read_id: str
    rows: int
    bytes: int
    result_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """Nothing left; why."""

    read_id: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRefused:
    """The gate stopped a statement before anything was asked of policy: a write, or a form it does not know."""

    read_id: str
    person: str
    purpose: str
    code: str
    statement_sha256: str


ReadFact = ReadStarted | ReadCompleted | ReadFailed | ReadRefused

FACTS = Catalogue(
    [
        ("access.read.started", 1, ReadStarted),
        ("access.read.completed", 1, ReadCompleted),
        ("access.read.failed", 1, ReadFailed),
        ("access.read.refused", 1, ReadRefused),
    ]
)
