"""What is known of a ledger's incidents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Kind = Literal["hole", "leaf", "rewritten", "restored", "tiles", "lock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened:
    """Sealing of the ledger stops. `position` is the first that is not as it must be, 0 if none can be named."""

    ledger: str
    kind: Kind
    position: int
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed:
    """A person has looked; the ledger is tried again."""

    ledger: str
    person: str
    comment: str
    at: datetime


IncidentFact = IncidentOpened | IncidentClosed

FACTS = Catalogue(
    [
        ("audit.incident.opened", 1, IncidentOpened),
        ("audit.incident.closed", 1, IncidentClosed),
    ]
)
