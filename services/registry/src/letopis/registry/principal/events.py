"""What is known of principals."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from letopis.common.serialization import Catalogue, Personal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRegistered:
    login: str
    person: str
    name: Annotated[str, Personal("person:{person}")]
    kind: Literal["human", "service"]
    organisation: str
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted:
    login: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked:
    login: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupJoined:
    login: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLeft:
    login: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalEnded:
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalEndChanged:
    """`until` is the last day on which the login may act (UTC), None for no end."""

    login: str
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnrolled:
    """An Ed25519 public key (raw, base64) with which the person signs approvals."""

    login: str
    person: str
    key_id: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked:
    login: str
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStolen:
    """Somebody else may have had the key from `since` on; what it signed after that moment is in doubt."""

    login: str
    person: str
    key_id: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAttested:
    """`until` is the last day on which it counts (UTC); `evidence` is the SHA-256 of what shows it, "" without any."""

    login: str
    training: str
    until: date
    evidence: str
    by: str


PrincipalFact = (
    PrincipalRegistered
    | RoleGranted
    | RoleRevoked
    | GroupJoined
    | GroupLeft
    | PrincipalEnded
    | PrincipalEndChanged
    | KeyEnrolled
    | KeyRevoked
    | KeyStolen
    | TrainingAttested
)

FACTS = Catalogue(
    [
        ("registry.principal.registered", 1, PrincipalRegistered),
        ("registry.principal.role_granted", 1, RoleGranted),
        ("registry.principal.role_revoked", 1, RoleRevoked),
        ("registry.principal.group_joined", 1, GroupJoined),
        ("registry.principal.group_left", 1, GroupLeft),
        ("registry.principal.ended", 1, PrincipalEnded),
        ("registry.principal.end_changed", 1, PrincipalEndChanged),
        ("registry.principal.key_enrolled", 1, KeyEnrolled),
        ("registry.principal.key_revoked", 1, KeyRevoked),
        ("registry.principal.key_stolen", 1, KeyStolen),
        ("registry.principal.training_attested", 1, TrainingAttested),
    ]
)
