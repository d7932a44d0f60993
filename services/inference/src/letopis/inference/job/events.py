"""What is known of a batch job."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A file is to be scored by the version that answers now; `decisions_head` is where its decisions may begin."""

    job_id: str
    deployment_id: str
    application: str
    api_version: str
    model_id: str
    version_id: str
    version_digest: str
    source_sha256: str
    rows: int
    chunk_rows: int
    as_of: datetime | None
    decisions_head: int
    consumer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted:
    """Every row has its decision or refusal in the journal, and the scores lie in the object store."""

    job_id: str
    application: str
    api_version: str
    model_id: str
    version_id: str
    rows: int
    scored: int
    refused: int
    output_sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """The job cannot be finished; decisions made before stay."""

    job_id: str
    application: str
    api_version: str
    code: str
    detail: str
    at: datetime


JobFact = JobStarted | JobCompleted | JobFailed

FACTS = Catalogue(
    [
        ("inference.job.started", 1, JobStarted),
        ("inference.job.completed", 1, JobCompleted),
        ("inference.job.failed", 1, JobFailed),
    ]
)
