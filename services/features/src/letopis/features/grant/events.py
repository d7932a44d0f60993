"""What is known of a grant."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantIssued:
    """Columns by source, for one purpose of one project, to a person or `group:<name>`, until a moment."""

    grant_id: str
    grantee: str
    purpose: str
    project: str
    columns: dict[str, tuple[str, ...]]
    unmask: bool
    not_after: datetime
    reason: str
    issued_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked:
    grant_id: str
    reason: str
    revoked_by: str


GrantFact = GrantIssued | GrantRevoked

FACTS = Catalogue(
    [
        ("features.grant.issued", 1, GrantIssued),
        ("features.grant.revoked", 1, GrantRevoked),
    ]
)
