"""What is recorded of decisions: one fact for each score, each refusal, each lease, each journal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from letopis.common.serialization import Catalogue, Personal


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """Where a looked-up input came from: its state in the online store, and when it was true and known."""

    name: str
    status: str
    event_time: str | None
    known_time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCode:
    """How much one input moved this score, in the model's margin (log-odds)."""

    name: str
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """One score and what it rests on. The event id of the fact is the decision id.

    `inputs` are sealed where they are stored: a text until the owner opens it.
    `as_of` is the business time a batch job states for its rows; a reader that buckets by time takes
    `as_of`, or `decided_at` where it is null.
    """

    application: str
    api_version: str
    model_id: str
    version_id: str
    version_digest: str
    consumer: str
    entity: str
    entity_id: str
    inputs: Annotated[dict[str, float | int | str | bool | None] | str, Personal("{entity}:{entity_id}")]
    looked_up: tuple[LookedUp, ...]
    score: float
    cutoff: float
    decision: str
    reasons: tuple[ReasonCode, ...] | None
    decided_at: datetime
    as_of: datetime | None
    kind: Literal["single", "batch"]
    job_id: str
    row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field of a request that cannot be scored; the value itself is not kept."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRefused:
    """A request or row that got no score, and why; the body is named by its SHA-256."""

    application: str
    api_version: str
    version_id: str
    consumer: str
    code: str
    problems: tuple[FieldProblem, ...]
    body_sha256: str
    refused_at: datetime
    kind: Literal["single", "batch"]
    job_id: str
    row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseGranted:
    """Policy's answer under which a consumer may score until `not_after`; decisions carry its event id.

    Question and answer stand whole in the fact's meta.
    """

    consumer: str
    person: str
    application: str
    purpose: str
    action: str
    revision: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOpened:
    """The first record of a journal names the end of the one before it, so that a lost tail shows."""

    source_id: str
    durability: str
    previous_source_id: str
    previous_seq: int
    previous_chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDamageFound:
    """An alarm: a record of this journal is bad; nothing from `seq` on has been shipped, the files are kept."""

    source_id: str
    seq: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkScored:
    """The checkpoint of a batch job: stands in the same journal batch as the rows it counts."""

    job_id: str
    chunk: int
    first_row: int
    rows: int
    scored: int
    refused: int


FACTS = Catalogue(
    [
        ("decisions.decision.made", 1, DecisionMade),
        ("decisions.decision.refused", 1, DecisionRefused),
        ("decisions.lease.granted", 1, LeaseGranted),
        ("decisions.journal.opened", 1, JournalOpened),
        ("decisions.journal.damaged", 1, JournalDamageFound),
        ("decisions.chunk.scored", 1, ChunkScored),
    ]
)
