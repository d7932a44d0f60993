"""What is known of a report."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIssued:
    """A report was made from the facts up to these positions by this code; its bytes have this SHA-256."""

    report_id: str
    type: str
    schema_version: int
    positions: dict[str, int]
    roots: dict[str, str]
    generator_sha256: str
    sha256: str
    csv_sha256: str
    bytes: int
    rows: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRead:
    report_id: str
    sha256: str
    format: str
    by: str


ReportFact = ReportIssued | ReportRead

FACTS = Catalogue(
    [
        ("audit.report.issued", 1, ReportIssued),
        ("audit.report.read", 1, ReportRead),
    ]
)
