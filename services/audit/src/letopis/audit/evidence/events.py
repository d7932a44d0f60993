"""What is known of evidence that was shown or handed out."""

from dataclasses import dataclass
from typing import Any

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRead:
    """One stored fact of any ledger was shown to somebody, with its proof."""

    event_id: str
    ledger: str
    position: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackMade:
    """An evidence pack was made of facts up to these positions."""

    pack_id: str
    scope: dict[str, Any]
    positions: dict[str, int]
    excerpts: dict[str, list[int]]
    report_sha256: str
    sha256: str
    bytes: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRead:
    """The pack was handed to somebody."""

    pack_id: str
    sha256: str
    by: str


EvidenceFact = EvidenceRead
PackFact = PackMade | PackRead

EVIDENCE_FACTS = Catalogue([("audit.evidence.read", 1, EvidenceRead)])
PACK_FACTS = Catalogue(
    [
        ("audit.pack.made", 1, PackMade),
        ("audit.pack.read", 1, PackRead),
    ]
)
FACTS = EVIDENCE_FACTS | PACK_FACTS
