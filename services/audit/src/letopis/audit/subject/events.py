"""What is known of a subject: holds, erasures, and who looked. A subject is named by its pseudonym alone."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSearched:
    """What is held on the subject was shown: facts by ledger, found in copies that reach these positions."""

    subject: str
    found: dict[str, int]
    positions: dict[str, int]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """The law or a dispute needs the data: nothing of the subject is erased until the hold is lifted."""

    subject: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted:
    subject: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequested:
    subject: str
    erasure_id: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRejected:
    subject: str
    erasure_id: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureApproved:
    """A second person agrees; the keys are destroyed because of this fact, not before it."""

    subject: str
    erasure_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKeyDestroyed:
    """These keys of the subject no longer exist; what was sealed under them can be read by nobody.

    Told again for keys that turned up later, in facts that were still on their way.
    """

    subject: str
    erasure_id: str
    key_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCertified:
    """A certificate of the erasure was handed out; its bytes have this SHA-256."""

    subject: str
    erasure_id: str
    sha256: str
    by: str


SubjectFact = (
    SubjectSearched
    | HoldPlaced
    | HoldLifted
    | ErasureRequested
    | ErasureRejected
    | ErasureApproved
    | SubjectKeyDestroyed
    | ErasureCertified
)

FACTS = Catalogue(
    [
        ("audit.subject.searched", 1, SubjectSearched),
        ("audit.subject.hold_placed", 1, HoldPlaced),
        ("audit.subject.hold_lifted", 1, HoldLifted),
        ("audit.subject.erasure_requested", 1, ErasureRequested),
        ("audit.subject.erasure_rejected", 1, ErasureRejected),
        ("audit.subject.erasure_approved", 1, ErasureApproved),
        ("audit.subject.key_destroyed", 1, SubjectKeyDestroyed),
        ("audit.subject.erasure_certified", 1, ErasureCertified),
    ]
)
