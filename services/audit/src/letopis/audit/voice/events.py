"""What is known of completeness and of silence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue

Kind = Literal["service", "ledger", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One ledger at a heartbeat: its head at the owner (None if that does not answer), copied, under a signature."""

    owner: int | None
    copied: int
    sealed: int
    halted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatRecorded:
    """Ledgers, copies and signed heads were held against each other; `note` is the same, signed with the log's key.

    `complete`: every owner answered, no ledger stands still, and nothing that was there a minute before is missing.
    """

    number: int
    complete: bool
    missing: tuple[str, ...]
    ledgers: dict[str, Counted]
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationSet:
    """Somebody must be heard of within so many seconds; None: nothing is expected any more."""

    kind: Kind
    name: str
    within_seconds: int | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceBegan:
    """An alarm: who should have spoken by now was last heard at `last_at` (None: never)."""

    kind: Kind
    name: str
    within_seconds: int
    last_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEnded:
    """It is heard again, or is expected no more."""

    kind: Kind
    name: str
    heard_at: datetime | None
    at: datetime


HEARTBEAT_FACTS = Catalogue([("audit.heartbeat.recorded", 1, HeartbeatRecorded)])
VoiceFact = ExpectationSet | SilenceBegan | SilenceEnded
VOICE_FACTS = Catalogue(
    [
        ("audit.expectation.set", 1, ExpectationSet),
        ("audit.silence.began", 1, SilenceBegan),
        ("audit.silence.ended", 1, SilenceEnded),
    ]
)
FACTS = HEARTBEAT_FACTS | VOICE_FACTS
