"""Principals: registered once, given and losing roles, trained, enrolling keys, ending."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.principal.events import (
    FACTS,
    GroupJoined,
    GroupLeft,
    KeyEnrolled,
    KeyRevoked,
    KeyStolen,
    PrincipalEndChanged,
    PrincipalEnded,
    PrincipalFact,
    PrincipalRegistered,
    RoleGranted,
    RoleRevoked,
    TrainingAttested,
)

ROLES = frozenset(
    {
        "data_engineer",
        "data_scientist",
        "ml_engineer",
        "rule_analyst",
        "validator",
        "model_owner",
        "risk_officer",
        "security_officer",
        "administrator",
        "auditor",
        "regulator",
        "operator",
        "consumer",
        "subscriber",
        "service",
    }
)


class PrincipalExists(Refused):
    """The login is taken."""

    code = "principal.exists"
    title = "A principal with this login is registered already"


class PrincipalUnknown(Refused):
    """Nobody has this login."""

    code = "principal.unknown"
    title = "There is no principal with this login; register it first"


class PrincipalGone(Refused):
    """The principal was ended; a login is never given out twice."""

    code = "principal.ended"
    title = "This principal was ended; a login is never given out twice"


class RoleUnknown(Refused):
    """The role is not one of ours."""

    code = "principal.role_unknown"
    title = "There is no such role"


class KeyInvalid(Refused):
    """Not a raw Ed25519 public key."""

    code = "principal.key_invalid"
    title = "The key is not a raw Ed25519 public key of 32 bytes in base64"


class KeyUnknown(Refused):
    """Nobody enrolled it under this login."""

    code = "principal.key_unknown"
    title = "This login never had such a key"


class KeyTaken(Refused):
    """The key is enrolled already."""

    code = "principal.key_taken"
    title = "This key was enrolled before; make a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    login: str
    person: str
    name: str
    kind: Literal["human", "service"]
    organisation: str
    until: date | None
    roles: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole:
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup:
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPrincipal:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnd:
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollKey:
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTheft:
    """Who ended is reported for too: a leaver's key can have been stolen before."""

    key_id: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestTraining:
    """A day that is over ends what was attested before."""

    training: str
    until: date
    evidence: str
    by: str


PrincipalCommand = (
    Register
    | GrantRole
    | RevokeRole
    | JoinGroup
    | LeaveGroup
    | EndPrincipal
    | ChangeEnd
    | EnrollKey
    | RevokeKey
    | ReportTheft
    | AttestTraining
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """Nobody yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    login: str
    person: str
    kind: Literal["human", "service"]
    organisation: str
    until: date | None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    keys: dict[str, str] = field(default_factory=dict)
    revoked_keys: frozenset[str] = frozenset()
    trainings: dict[str, tuple[date, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    login: str
    person: str = ""
    past_keys: frozenset[str] = frozenset()


Principal = Unregistered | Registered | Ended


def key_id(public_key: str) -> str:
    """The first 16 hex digits of SHA-256 of the raw key; KeyInvalid if it is not 32 bytes in base64."""
    try:
        raw = b64decode(public_key, validate=True)
    except NotBase64:
        raise KeyInvalid from None
    if len(raw) != 32:
        raise KeyInvalid
    return sha256(raw).hexdigest()[:16]


def register(command: Register) -> Sequence[PrincipalFact]:
    for role in command.roles:
        _known(role)
    return [
        PrincipalRegistered(
            login=command.login,
            person=command.person,
            name=command.name,
            kind=command.kind,
            organisation=command.organisation,
            until=command.until,
        ),
        *(RoleGranted(login=command.login, role=role) for role in command.roles),
        *(GroupJoined(login=command.login, group=group) for group in command.groups),
    ]


def enroll(state: Registered, command: EnrollKey) -> Sequence[PrincipalFact]:
    name = key_id(command.public_key)
    if name in state.keys or name in state.revoked_keys:
        raise KeyTaken
    return [KeyEnrolled(login=state.login, person=state.person, key_id=name, public_key=command.public_key)]


def stolen(state: Registered | Ended, command: ReportTheft) -> KeyStolen:
    return KeyStolen(login=state.login, person=state.person, key_id=command.key_id, since=command.since, by=command.by)


def key(state: Registered, command: EnrollKey | RevokeKey | ReportTheft) -> Sequence[PrincipalFact]:
    match command:
        case EnrollKey():
            return enroll(state, command)
        case RevokeKey(key_id=name, reason=reason):
            return [KeyRevoked(login=state.login, key_id=name, reason=reason)] if name in state.keys else []
        case ReportTheft(key_id=name):
            if name in state.revoked_keys:
                return [stolen(state, command)]
            if name not in state.keys:
                raise KeyUnknown
            return [stolen(state, command), KeyRevoked(login=state.login, key_id=name, reason="stolen")]


def member(state: Registered, command: JoinGroup | LeaveGroup) -> Sequence[PrincipalFact]:
    group = command.group
    match command:
        case JoinGroup():
            return [] if group in state.groups else [GroupJoined(login=state.login, group=group)]
        case LeaveGroup():
            return [GroupLeft(login=state.login, group=group)] if group in state.groups else []


def attest(state: Registered, command: AttestTraining) -> Sequence[PrincipalFact]:
    if state.trainings.get(command.training) == (command.until, command.evidence):
        return []
    return [
        TrainingAttested(
            login=state.login,
            training=command.training,
            until=command.until,
            evidence=command.evidence,
            by=command.by,
        )
    ]


def change(state: Registered, command: PrincipalCommand) -> Sequence[PrincipalFact]:
    match command:
        case Register():
            raise PrincipalExists(f"{state.login} is registered already")
        case GrantRole(role=role):
            _known(role)
            return [] if role in state.roles else [RoleGranted(login=state.login, role=role)]
        case RevokeRole(role=role):
            return [RoleRevoked(login=state.login, role=role)] if role in state.roles else []
        case JoinGroup() | LeaveGroup():
            return member(state, command)
        case EndPrincipal():
            return [PrincipalEnded(login=state.login)]
        case ChangeEnd(until=until):
            return [] if until == state.until else [PrincipalEndChanged(login=state.login, until=until)]
        case AttestTraining():
            return attest(state, command)
        case EnrollKey() | RevokeKey() | ReportTheft():
            return key(state, command)


def decide(state: Principal, command: PrincipalCommand) -> Sequence[PrincipalFact]:
    match state:
        case Unregistered():
            if isinstance(command, Register):
                return register(command)
            raise PrincipalUnknown
        case Registered():
            return change(state, command)
        case Ended():
            if isinstance(command, ReportTheft) and command.key_id in state.past_keys:
                return [stolen(state, command)]
            raise PrincipalGone


def evolve(state: Principal, fact: PrincipalFact) -> Principal:
    match fact:
        case PrincipalRegistered():
            return Registered(
                login=fact.login, person=fact.person, kind=fact.kind, organisation=fact.organisation, until=fact.until
            )
        case PrincipalEnded():
            if isinstance(state, Registered):
                return Ended(
                    login=fact.login, person=state.person, past_keys=frozenset(state.keys) | state.revoked_keys
                )
            return Ended(login=fact.login)
        case _:
            return _evolve(state, fact) if isinstance(state, Registered) else state


def _evolve(state: Registered, fact: PrincipalFact) -> Registered:
    match fact:
        case RoleGranted(role=role):
            return replace(state, roles=state.roles | {role})
        case RoleRevoked(role=role):
            return replace(state, roles=state.roles - {role})
        case GroupJoined(group=group):
            return replace(state, groups=state.groups | {group})
        case GroupLeft(group=group):
            return replace(state, groups=state.groups - {group})
        case PrincipalEndChanged(until=until):
            return replace(state, until=until)
        case KeyEnrolled(key_id=name, public_key=public_key):
            return replace(state, keys={**state.keys, name: public_key})
        case KeyRevoked(key_id=name):
            left = {one: key for one, key in state.keys.items() if one != name}
            return replace(state, keys=left, revoked_keys=state.revoked_keys | {name})
        case TrainingAttested(training=training, until=until, evidence=evidence):
            return replace(state, trainings={**state.trainings, training: (until, evidence)})
        case PrincipalRegistered() | PrincipalEnded() | KeyStolen():
            return state


def _known(role: str) -> None:
    if role not in ROLES:
        raise RoleUnknown(f"there is no role {role!r}; one of {', '.join(sorted(ROLES))}")


PRINCIPAL = Aggregate(
    "principal", Decider[PrincipalCommand, PrincipalFact, Principal](Unregistered(), decide, evolve), FACTS
)
