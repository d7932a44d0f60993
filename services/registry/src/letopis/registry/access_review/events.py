"""What is recorded of access reviews."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReviewExported:
    """A review left the registry. `sha256` is that of the document, `revision` the policy whose roles it explains."""

    review_id: str
    by: str
    persons: int
    conflicts: int
    revision: str
    sha256: str


FACTS = Catalogue([("registry.access_review.exported", 1, AccessReviewExported)])
