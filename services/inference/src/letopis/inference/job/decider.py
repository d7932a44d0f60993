"""Jobs: started once, ended once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.inference.job.events import FACTS, JobCompleted, JobFact, JobFailed, JobStarted


class JobKnown(Refused):
    """A job id is used once."""

    code = "job.known"
    title = "A job with this id was started before"


class JobNotRunning(Refused):
    """Only a running job ends."""

    code = "job.not_running"
    title = "The job is not running"


class RowsUncounted(Refused):
    """A job is complete when every row is accounted for."""

    code = "job.rows_uncounted"
    title = "Not every row of the job has a decision or a refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    started: JobStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteJob:
    scored: int
    refused: int
    output_sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob:
    code: str
    detail: str
    at: datetime


JobCommand = StartJob | CompleteJob | FailJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Not started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Rows are being scored."""

    started: JobStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Completed or failed."""


Job = Unknown | Running | Ended


def start(state: Job, command: StartJob) -> Sequence[JobFact]:
    if not isinstance(state, Unknown):
        raise JobKnown
    return [command.started]


def complete(state: Job, command: CompleteJob) -> Sequence[JobFact]:
    started = _running(state)
    if command.scored + command.refused != started.rows:
        raise RowsUncounted
    return [
        JobCompleted(
            job_id=started.job_id,
            application=started.application,
            api_version=started.api_version,
            model_id=started.model_id,
            version_id=started.version_id,
            rows=started.rows,
            scored=command.scored,
            refused=command.refused,
            output_sha256=command.output_sha256,
            at=command.at,
        )
    ]


def fail(state: Job, command: FailJob) -> Sequence[JobFact]:
    started = _running(state)
    return [
        JobFailed(
            job_id=started.job_id,
            application=started.application,
            api_version=started.api_version,
            code=command.code,
            detail=command.detail,
            at=command.at,
        )
    ]


def decide(state: Job, command: JobCommand) -> Sequence[JobFact]:
    match command:
        case StartJob():
            return start(state, command)
        case CompleteJob():
            return complete(state, command)
        case FailJob():
            return fail(state, command)


def evolve(_state: Job, fact: JobFact) -> Job:
    match fact:
        case JobStarted():
            return Running(started=fact)
        case JobCompleted() | JobFailed():
            return Ended()


def _running(state: Job) -> JobStarted:
    if not isinstance(state, Running):
        raise JobNotRunning
    return state.started


JOB: Aggregate[JobCommand, JobFact, Job] = Aggregate(
    "job",
    Decider[JobCommand, JobFact, Job](Unknown(), decide, evolve),
    FACTS,
    ends=frozenset({JobCompleted, JobFailed}),
)
