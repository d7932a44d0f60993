"""What is known of emergencies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassRequested:
    """One person asks for a version in production that lacks what production needs, and says why."""

    break_glass_id: str
    model_id: str
    version_id: str
    version_digest: str
    reason: str
    hours: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassOpened:
    """Another person agreed: the version enters production until `until`, and the review is owed from now on."""

    break_glass_id: str
    model_id: str
    version_id: str
    version_digest: str
    reason: str
    requested_by: str
    confirmed_by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassLapsed:
    """The hours are over; a version that no ordinary promotion has taken over meanwhile leaves production."""

    break_glass_id: str
    model_id: str
    version_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassReviewed:
    """Somebody who had no part in it looked at what was done."""

    break_glass_id: str
    model_id: str
    version_id: str
    outcome: Literal["justified", "unjustified"]
    findings: str
    by: str


BreakGlassFact = BreakGlassRequested | BreakGlassOpened | BreakGlassLapsed | BreakGlassReviewed

FACTS = Catalogue(
    [
        ("registry.break_glass.requested", 1, BreakGlassRequested),
        ("registry.break_glass.opened", 1, BreakGlassOpened),
        ("registry.break_glass.lapsed", 1, BreakGlassLapsed),
        ("registry.break_glass.reviewed", 1, BreakGlassReviewed),
    ]
)
