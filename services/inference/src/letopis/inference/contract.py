"""The facts that other services may rely on: deployments and jobs (`inference`), decisions (`decisions`)."""

from letopis.inference.decision.events import FACTS as DECISIONS
from letopis.inference.decision.events import (
    ChunkScored,
    DecisionMade,
    DecisionRefused,
    FieldProblem,
    JournalDamageFound,
    JournalOpened,
    LeaseGranted,
    LookedUp,
    ReasonCode,
)
from letopis.inference.deployment.events import FACTS as DEPLOYMENT
from letopis.inference.deployment.events import (
    ConsumerGranted,
    ConsumerRevoked,
    Deployed,
    LoadFailed,
    Replaced,
    Retired,
)
from letopis.inference.job.events import FACTS as JOB
from letopis.inference.job.events import JobCompleted, JobFailed, JobStarted
from letopis.inference.reveal.events import FACTS as REVEAL
from letopis.inference.reveal.events import DecisionRevealed

CONTRACT = DEPLOYMENT | JOB | REVEAL
# All that the service's ledgers publish.
PUBLISHED = {"inference": CONTRACT, "decisions": DECISIONS}

__all__ = [
    "CONTRACT",
    "DECISIONS",
    "PUBLISHED",
    "ChunkScored",
    "ConsumerGranted",
    "ConsumerRevoked",
    "DecisionMade",
    "DecisionRefused",
    "DecisionRevealed",
    "Deployed",
    "FieldProblem",
    "JobCompleted",
    "JobFailed",
    "JobStarted",
    "JournalDamageFound",
    "JournalOpened",
    "LeaseGranted",
    "LoadFailed",
    "LookedUp",
    "ReasonCode",
    "Replaced",
    "Retired",
]
