"""What is known of standing claims: those auditors stated, and what was found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Verdict = Literal["held", "violated", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStated:
    """What must never happen, in the language of claims: `definition` is the exact JSON text."""

    claim_id: str
    definition: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimWithdrawn:
    claim_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFound:
    """What was found of one claim: how many facts it was held against, and how many violate it."""

    claim_id: str
    verdict: Verdict
    checked: int
    open: int
    violations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsEvaluated:
    """All claims were held against the facts up to these positions; the document's bytes have this SHA-256."""

    evaluation_id: str
    positions: dict[str, int]
    roots: dict[str, str]
    generator_sha256: str
    sha256: str
    bytes: int
    claims: tuple[ClaimFound, ...]
    at: datetime


ClaimFact = ClaimStated | ClaimWithdrawn
CLAIM_FACTS = Catalogue([("audit.claim.stated", 1, ClaimStated), ("audit.claim.withdrawn", 1, ClaimWithdrawn)])
EVALUATION_FACTS = Catalogue([("audit.claim.evaluated", 1, ClaimsEvaluated)])
FACTS = CLAIM_FACTS | EVALUATION_FACTS
