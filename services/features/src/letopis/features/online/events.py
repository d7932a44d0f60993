"""What is known of online reads: the lease they rest on, and how many there were."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseGranted:
    """The policy's answer (in the meta) lets a consumer read a bundle for a purpose until `not_after`.

    `process` names the process that holds it: a restart holds none.
    """

    lease_id: str
    process: str
    consumer: str
    bundle_id: str
    purpose: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineReadsCounted:
    """What was served under one lease between two moments; the values by their status."""

    process: str
    lease: str
    consumer: str
    bundle_id: str
    purpose: str
    first_at: datetime
    last_at: datetime
    requests: int
    entities: int
    present: int
    stale: int
    missing: int
    masked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineCountingStopped:
    """The process ended; `complete` when every count it had was recorded before."""

    process: str
    complete: bool


OnlineFact = LeaseGranted | OnlineReadsCounted | OnlineCountingStopped

FACTS = Catalogue(
    [
        ("access.lease.granted", 1, LeaseGranted),
        ("access.online_read.counted", 1, OnlineReadsCounted),
        ("access.online_read.counting_stopped", 1, OnlineCountingStopped),
    ]
)
