"""What is known of a ledger's incidents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

# `restored`: the copy is behind what was sealed; `owner_restored`: the owner is behind the copy.
Kind = Literal["hole", "leaf", "rewritten", "restored", "owner_restored", "tiles", "lock"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How a ledger would go on after a restore, as it was found by hashing its copy again.

    The log named `closed` has sealed `sealed` facts under `sealed_root`; the copy still leads to its head of `kept`
    under `kept_root`. If the two differ, the facts from kept + 1 to sealed are lost; then, or if heads may have been
    signed that nobody knows (`lock_lost`), the log stays closed and `log` succeeds it, else `log` is the same.
    """

    sealed: int
    sealed_root: str
    kept: int
    kept_root: str
    closed: str
    log: str
    lock_lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuationRequested:
    """A person says why the ledger may go on; another must agree."""

    ledger: str
    kind: Kind
    how: Continuation
    reason: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuationApproved:
    """Another person agrees: what is lost is declared, and the ledger is sealed again."""

    ledger: str
    how: Continuation
    reason: str
    requested_by: str
    person: str
    at: datetime


IncidentFact = IncidentOpened | IncidentClosed | ContinuationRequested | ContinuationApproved

FACTS = Catalogue(
    [
        ("audit.incident.opened", 1, IncidentOpened),
        ("audit.incident.closed", 1, IncidentClosed),
        ("audit.continuation.requested", 1, ContinuationRequested),
        ("audit.continuation.approved", 1, ContinuationApproved),
    ]
)
