"""What is known of a report."""

from dataclasses import dataclass
from typing import Any

from letopis.common.serialization import Catalogue, Upcast


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIssued:
    """A report was made from the facts up to these positions by this code and definition; its bytes have this SHA-256.

    `scope` says what it is about, `pdf_sha256` is by language, `checks` counts its checks by state.
    """

    report_id: str
    type: str
    schema_version: int
    scope: dict[str, str]
    positions: dict[str, int]
    roots: dict[str, str]
    definition_sha256: str
    generator_sha256: str
    sha256: str
    csv_sha256: str
    pdf_sha256: dict[str, str]
    bytes: int
    rows: int
    checks: dict[str, int]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRead:
    report_id: str
    sha256: str
    format: str
    by: str


ReportFact = ReportIssued | ReportRead


def _issued_2(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, "scope": {}, "definition_sha256": "", "pdf_sha256": {}, "checks": {}}


FACTS = Catalogue(
    [
        ("audit.report.issued", 2, ReportIssued),
        ("audit.report.read", 1, ReportRead),
    ],
    [Upcast(type="audit.report.issued", from_version=1, change=_issued_2)],
)
