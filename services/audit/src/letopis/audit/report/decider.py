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
    scope: Mapping[str, str]
    positions: Mapping[str, int]
    roots: Mapping[str, str]
    definition_sha256: str
    generator_sha256: str
    sha256: str
    csv_sha256: str
    pdf_sha256: Mapping[str, str]
    bytes: int
    rows: int
    checks: Mapping[str, int]
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


class FormatUnknown(NotFound):
    """The report was not made in this form."""

    code = "report.format_unknown"
    title = "The report was not issued in this form or language"


@dataclass(frozen=True, slots=True)
class Unissued:
    """Nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """It was issued, with these bytes: digests by form (`json`, `csv`, `pdf.en`); the last issue, whole."""

    digests: Mapping[str, str]
    fact: ReportIssued


State = Unissued | Issued


def report_id(type: str, scope: Mapping[str, str], positions: Mapping[str, int], generator_sha256: str) -> str:
    """The id that follows from what the report is a function of."""
    about = ",".join(f"{name}={value}" for name, value in sorted(scope.items()))
    where = ",".join(f"{ledger}/{position}" for ledger, position in sorted(positions.items()))
    return str(uuid5(NAMESPACE_OID, f"letopis-report-v2\n{type}\n{about}\n{where}\n{generator_sha256}"))


def issue(state: State, command: IssueReport) -> Sequence[ReportFact]:
    """The pages are those of the first time: a later typesetter may draw them otherwise, the content is the JSON's."""
    pdfs = dict(command.pdf_sha256)
    if isinstance(state, Issued):
        if (state.fact.sha256, state.fact.csv_sha256) != (command.sha256, command.csv_sha256):
            raise ReportDiffers
        pdfs = {**pdfs, **state.fact.pdf_sha256}
    return [
        ReportIssued(
            report_id=command.report_id,
            type=command.type,
            schema_version=command.schema_version,
            scope=dict(command.scope),
            positions=dict(command.positions),
            roots=dict(command.roots),
            definition_sha256=command.definition_sha256,
            generator_sha256=command.generator_sha256,
            sha256=command.sha256,
            csv_sha256=command.csv_sha256,
            pdf_sha256=pdfs,
            bytes=command.bytes,
            rows=command.rows,
            checks=dict(command.checks),
            by=command.by,
        )
    ]


def read(state: State, command: ReadReport) -> Sequence[ReportFact]:
    if isinstance(state, Unissued):
        raise ReportUnknown
    sha256 = state.digests.get(command.format)
    if sha256 is None:
        raise FormatUnknown(f"there are {', '.join(sorted(state.digests))}")
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
            pdfs = {f"pdf.{language}": digest for language, digest in fact.pdf_sha256.items()}
            return Issued({"json": fact.sha256, "csv": fact.csv_sha256, **pdfs}, fact)
        case ReportRead():
            return state


REPORT = Aggregate("report", Decider[Command, ReportFact, State](Unissued(), decide, evolve), FACTS)
