"""Evidence gathers beside a version: every attempt is kept, the last of each kind counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.common.serialization import canonical
from letopis.registry.evidence.events import FACTS, EvidenceAdded, EvidenceFact

KINDS = {
    "code_check": "lint, tests and secrets of the training code",
    "reproducible_build": "built twice, the same digest",
    "out_of_time_quality": "quality on a month the training never saw",
    "explainability": "which inputs drive the score",
    "fairness": "outcomes by group",
    "documentation": "development document",
    "validation_report": "the validator's own conclusion",
    "parity": "the served model equals the trained one",
}


class EvidenceKindUnknown(Refused):
    """The kind is not in the catalogue."""

    code = "evidence.kind_unknown"
    title = "There is no such kind of evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvidence:
    version_id: str
    version_digest: str
    kind: str
    outcome: Literal["passed", "failed"]
    summary: str
    numbers: dict[str, Any]
    attachment: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The last attempt of each kind."""

    last: dict[str, EvidenceAdded] = field(default_factory=dict)

    def passed(self) -> dict[str, str]:
        """Kind to digest of what passed."""
        return {kind: one.digest for kind, one in sorted(self.last.items()) if one.outcome == "passed"}


def decide(state: Evidence, command: AddEvidence) -> Sequence[EvidenceFact]:
    del state
    if command.kind not in KINDS:
        raise EvidenceKindUnknown(f"there is no kind {command.kind!r}; one of {', '.join(sorted(KINDS))}")
    content = {
        "version_digest": command.version_digest,
        "kind": command.kind,
        "outcome": command.outcome,
        "summary": command.summary,
        "numbers": command.numbers,
        "attachment": command.attachment,
    }
    return [
        EvidenceAdded(
            version_id=command.version_id,
            version_digest=command.version_digest,
            kind=command.kind,
            outcome=command.outcome,
            summary=command.summary,
            numbers=command.numbers,
            attachment=command.attachment,
            digest=sha256(canonical(content)).hexdigest(),
            by=command.by,
        )
    ]


def evolve(state: Evidence, fact: EvidenceFact) -> Evidence:
    return Evidence(last={**state.last, fact.kind: fact})


EVIDENCE = Aggregate("evidence", Decider[AddEvidence, EvidenceFact, Evidence](Evidence(), decide, evolve), FACTS)
