"""A report is a function of facts and code: at the same positions, by the same code, it has the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from letopis.audit.report.events import FACTS, ReportFact, ReportIssued, ReportRead
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReport:
    report_id: str
    type: str
    schema_version: int
    positions: Mapping[str, int]
    roots: Mapping[str, str]
    generator_sha256: str
    sha256: str
    csv_sha256: str
    bytes: int
    rows: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    report_id: str
    format: str
    by: str


Command = IssueReport | ReadReport


class ReportDiffers(Refused):
    """The same code over the same positions made other bytes than before: facts were changed, or the code lies."""

    code = "report.differs"
    title = "The report is not the one that was issued at these positions before; the ledger copies must be verified"


class ReportUnknown(NotFound):
    """No report of this id was issued."""

    code = "report.unknown"
    title = "No such report was issued"


@dataclass(frozen=True, slots=True)
class Unissued:
    """Nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """It was issued, with these bytes."""

    sha256: str
    csv_sha256: str


State = Unissued | Issued


def report_id(type: str, positions: Mapping[str, int], generator_sha256: str) -> str:
    """The id that follows from what the report is a function of."""
    where = ",".join(f"{ledger}/{position}" for ledger, position in sorted(positions.items()))
    return str(uuid5(NAMESPACE_OID, f"letopis-report-v1\n{type}\n{where}\n{generator_sha256}"))


def issue(state: State, command: IssueReport) -> Sequence[ReportFact]:
    if isinstance(state, Issued) and (state.sha256, state.csv_sha256) != (command.sha256, command.csv_sha256):
        raise ReportDiffers
    return [
        ReportIssued(
            report_id=command.report_id,
            type=command.type,
            schema_version=command.schema_version,
            positions=dict(command.positions),
            roots=dict(command.roots),
            generator_sha256=command.generator_sha256,
            sha256=command.sha256,
            csv_sha256=command.csv_sha256,
            bytes=command.bytes,
            rows=command.rows,
            by=command.by,
        )
    ]


def read(state: State, command: ReadReport) -> Sequence[ReportFact]:
    if isinstance(state, Unissued):
        raise ReportUnknown
    sha256 = state.csv_sha256 if command.format == "csv" else state.sha256
    return [ReportRead(report_id=command.report_id, sha256=sha256, format=command.format, by=command.by)]


def decide(state: State, command: Command) -> Sequence[ReportFact]:
    match command:
        case IssueReport():
            return issue(state, command)
        case ReadReport():
            return read(state, command)


def evolve(state: State, fact: ReportFact) -> State:
    match fact:
        case ReportIssued():
            return Issued(fact.sha256, fact.csv_sha256)
        case ReportRead():
            return state


REPORT = Aggregate("report", Decider[Command, ReportFact, State](Unissued(), decide, evolve), FACTS)
