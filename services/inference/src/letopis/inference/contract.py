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
from letopis.inference.rescoring.events import FACTS as RESCORING
from letopis.inference.rescoring.events import DecisionRescored
from letopis.inference.reveal.events import FACTS as REVEAL
from letopis.inference.reveal.events import DecisionRevealed

CONTRACT = DEPLOYMENT | JOB | REVEAL | RESCORING
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
    "DecisionRescored",
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
