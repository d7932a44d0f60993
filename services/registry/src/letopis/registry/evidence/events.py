"""What is known of the evidence for a version."""

from dataclasses import dataclass
from typing import Any, Literal

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAdded:
    """The result of one check; all attempts are kept, the last one of a kind counts."""

    version_id: str
    version_digest: str
    kind: str
    outcome: Literal["passed", "failed"]
    summary: str
    numbers: dict[str, Any]
    attachment: str
    digest: str
    by: str


EvidenceFact = EvidenceAdded

FACTS = Catalogue([("registry.evidence.added", 1, EvidenceAdded)])
