"""Exporting an access review: every export is a fact of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.registry.access_review.events import FACTS, AccessReviewExported


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReview:
    review_id: str
    by: str
    persons: int
    conflicts: int
    revision: str
    sha256: str


def decide(exported: bool, command: ExportReview) -> Sequence[AccessReviewExported]:
    if exported:
        return []
    return [
        AccessReviewExported(
            review_id=command.review_id,
            by=command.by,
            persons=command.persons,
            conflicts=command.conflicts,
            revision=command.revision,
            sha256=command.sha256,
        )
    ]


def evolve(_exported: bool, _fact: AccessReviewExported) -> bool:
    return True


ACCESS_REVIEW = Aggregate(
    "access_review",
    Decider[ExportReview, AccessReviewExported, bool](initial=False, decide=decide, evolve=evolve),
    FACTS,
)
