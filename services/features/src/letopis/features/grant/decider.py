"""Grants: bound to a purpose, to columns and to an end; nobody grants to themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.grant.events import FACTS, GrantFact, GrantIssued, GrantRevoked

LONGEST = timedelta(days=366)


class GrantExists(Refused):
    """The id is taken."""

    code = "grant.exists"
    title = "A grant with this id exists already"


class GrantUnknown(Refused):
    """Nothing was issued under this id."""

    code = "grant.unknown"
    title = "There is no such grant"


class GrantOver(Refused):
    """It was revoked."""

    code = "grant.over"
    title = "This grant was revoked already"


class OwnGrant(Refused):
    """Four eyes: a person does not open columns to themselves."""

    code = "four_eyes.own_grant"
    title = "A grant to oneself is issued by somebody else"


class GrantWithoutEnd(Refused):
    """Grants expire, and not too late."""

    code = "grant.without_end"
    title = "A grant ends within 366 days from now"


class GrantEmpty(Refused):
    """A grant names columns, a purpose and a project."""

    code = "grant.empty"
    title = "A grant names a grantee, a purpose, a project and at least one column of each source"


class UnmaskWithoutReason(Refused):
    """Clear personal data is explained."""

    code = "grant.unmask_without_reason"
    title = "A grant that lifts masks states its reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueGrant:
    grant_id: str
    grantee: str
    purpose: str
    project: str
    columns: Mapping[str, tuple[str, ...]]
    unmask: bool
    not_after: datetime
    reason: str
    issued_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeGrant:
    reason: str
    revoked_by: str


GrantCommand = IssueGrant | RevokeGrant


@dataclass(frozen=True, slots=True, kw_only=True)
class Unissued:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    grant: GrantIssued


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    grant: GrantIssued


Grant = Unissued | Issued | Revoked


def issue(command: IssueGrant) -> Sequence[GrantFact]:
    complete = command.grantee and command.purpose.strip() and command.project.strip() and command.columns
    if not complete or not all(command.columns.values()):
        raise GrantEmpty
    if command.grantee == command.issued_by:
        raise OwnGrant
    if not command.at < command.not_after <= command.at + LONGEST:
        raise GrantWithoutEnd
    if command.unmask and not command.reason.strip():
        raise UnmaskWithoutReason
    return [
        GrantIssued(
            grant_id=command.grant_id,
            grantee=command.grantee,
            purpose=command.purpose,
            project=command.project,
            columns={source: tuple(sorted(set(columns))) for source, columns in command.columns.items()},
            unmask=command.unmask,
            not_after=command.not_after,
            reason=command.reason,
            issued_by=command.issued_by,
        )
    ]


def decide(state: Grant, command: GrantCommand) -> Sequence[GrantFact]:
    match state, command:
        case Unissued(), IssueGrant():
            return issue(command)
        case Unissued(), _:
            raise GrantUnknown
        case _, IssueGrant():
            raise GrantExists
        case Issued(grant=grant), RevokeGrant():
            return [GrantRevoked(grant_id=grant.grant_id, reason=command.reason, revoked_by=command.revoked_by)]
        case _:
            raise GrantOver


def evolve(state: Grant, fact: GrantFact) -> Grant:
    match state, fact:
        case _, GrantIssued():
            return Issued(grant=fact)
        case Issued(grant=grant), GrantRevoked():
            return Revoked(grant=grant)
        case _:
            return state


GRANT = Aggregate("grant", Decider[GrantCommand, GrantFact, Grant](Unissued(), decide, evolve), FACTS)
