"""The facts of the chronicle that other services may rely on."""

from letopis.audit.claim.events import FACTS as CLAIM
from letopis.audit.drill.events import FACTS as DRILL
from letopis.audit.evidence.events import FACTS as EVIDENCE
from letopis.audit.evidence.events import EvidenceRead, PackMade, PackRead
from letopis.audit.history.events import FACTS as HISTORY
from letopis.audit.incident.events import FACTS as INCIDENT
from letopis.audit.incident.events import ContinuationApproved, ContinuationRequested, IncidentClosed, IncidentOpened
from letopis.audit.report.events import FACTS as REPORT
from letopis.audit.report.events import ReportIssued, ReportRead
from letopis.audit.schedule.events import FACTS as SCHEDULE
from letopis.audit.subject.events import FACTS as SUBJECT
from letopis.audit.subject.events import SubjectKeyDestroyed
from letopis.audit.voice.events import FACTS as VOICE
from letopis.audit.voice.events import HeartbeatRecorded, SilenceBegan, SilenceEnded

CONTRACT = INCIDENT | REPORT | SCHEDULE | EVIDENCE | SUBJECT | CLAIM | HISTORY | VOICE | DRILL
# All that the service's ledgers publish.
PUBLISHED = {"audit": CONTRACT}

__all__ = [
    "CONTRACT",
    "PUBLISHED",
    "ContinuationApproved",
    "ContinuationRequested",
    "EvidenceRead",
    "HeartbeatRecorded",
    "IncidentClosed",
    "IncidentOpened",
    "PackMade",
    "PackRead",
    "ReportIssued",
    "ReportRead",
    "SilenceBegan",
    "SilenceEnded",
    "SubjectKeyDestroyed",
]
