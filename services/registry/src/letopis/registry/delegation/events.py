"""What is known of lent roles."""

from dataclasses import dataclass
from datetime import date

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationGiven:
    """`login` may use the role of `by_login` up to the day `until` (UTC), as long as the lender has it."""

    delegation_id: str
    login: str
    person: str
    by_login: str
    by_person: str
    role: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationEnded:
    """Given back, or taken back, before its day."""

    delegation_id: str
    login: str
    by: str


DelegationFact = DelegationGiven | DelegationEnded

FACTS = Catalogue(
    [("registry.delegation.given", 1, DelegationGiven), ("registry.delegation.ended", 1, DelegationEnded)]
)
