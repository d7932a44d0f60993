"""The facts of the chronicle that other services may rely on."""

from letopis.audit.evidence.events import FACTS as EVIDENCE
from letopis.audit.evidence.events import EvidenceRead, PackMade, PackRead
from letopis.audit.incident.events import FACTS as INCIDENT
from letopis.audit.incident.events import ContinuationApproved, ContinuationRequested, IncidentClosed, IncidentOpened
from letopis.audit.report.events import FACTS as REPORT
from letopis.audit.report.events import ReportIssued, ReportRead
from letopis.audit.subject.events import FACTS as SUBJECT
from letopis.audit.subject.events import SubjectKeyDestroyed

CONTRACT = INCIDENT | REPORT | EVIDENCE | SUBJECT
# All that the service's ledgers publish.
PUBLISHED = {"audit": CONTRACT}

__all__ = [
    "CONTRACT",
    "PUBLISHED",
    "ContinuationApproved",
    "ContinuationRequested",
    "EvidenceRead",
    "IncidentClosed",
    "IncidentOpened",
    "PackMade",
    "PackRead",
    "ReportIssued",
    "ReportRead",
    "SubjectKeyDestroyed",
]
