"""Who asked for a parked fact to be tried again or passed over, why, and who agreed; in the service's own ledger."""

from dataclasses import dataclass
from typing import Literal

from letopis.common.serialization import Catalogue

Way = Literal["retry", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAsked:
    """A person wants it; nothing happens before another agrees."""

    parked_id: str
    reaction: str
    ledger: str
    position: int
    stream: str
    type: str
    event_id: str
    way: Way
    reason: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAgreed:
    """The second person agreed: the fact is tried again, or never taken by this reaction."""

    parked_id: str
    reaction: str
    ledger: str
    position: int
    stream: str
    type: str
    event_id: str
    way: Way
    reason: str
    asked_by: str
    person: str


def parked_facts(ledger: str) -> Catalogue:
    """The catalogue of a ledger's releases; every service that has reactions has its own."""
    return Catalogue(
        [
            (f"{ledger}.parked.release_asked", 1, ReleaseAsked),
            (f"{ledger}.parked.release_agreed", 1, ReleaseAgreed),
        ]
    )
