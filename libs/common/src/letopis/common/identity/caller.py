"""The caller of a request: claims of the token joined with what the registry's facts say of the login."""

from dataclasses import dataclass, field
from datetime import date, datetime

from letopis.common.errors import Unauthenticated
from letopis.common.identity.claims import Claims, TokenRefused


class PrincipalOver(Unauthenticated):
    """The login was ended or its end date has passed."""

    code = "principal.over"
    title = "This login has ended; ask an administrator"


class NotInPerson(Unauthenticated):
    """Somebody acts in a person's name where only the person may."""

    code = "delegation.not_here"
    title = "Only the person may do this, under their own login; no service or notebook key in their name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A role that somebody lends to this login while they are away, up to a last day."""

    role: str
    by_login: str
    by_person: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookKey:
    """A key of a notebook; `hash` is the SHA-256 of its secret."""

    hash: str
    purpose: str
    use_case_id: str
    issued_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A login as recorded facts know it; `keys` maps key ids to raw Ed25519 public keys in base64.

    `until` is the last day on which the login may act (UTC), None without an end. `roles` are the login's own and those
    of its groups; `lent` are roles of others who are away and still have them. `trainings` last up to a day (UTC).
    """

    login: str
    person: str
    name: str
    kind: str
    organisation: str = ""
    until: date | None = None
    ended: bool = False
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    keys: dict[str, str]
    lent: tuple[Lent, ...] = ()
    notebook_keys: dict[str, NotebookKey] = field(default_factory=dict)
    trainings: dict[str, date] = field(default_factory=dict)

    def over(self, now: datetime) -> bool:
        """Whether the login may not act any more."""
        return self.ended or (self.until is not None and now.date() > self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and for what purpose; person is empty for services.

    `act` is who acts in the person's name, empty for themselves. `behalf` names, for each role that is only lent to
    them, the person who lent it. `use_case` is the only one that a notebook key is for. `trainings` are attested and
    have not run out.
    """

    person: str
    login: str
    service: str
    issuer: str
    roles: frozenset[str]
    groups: frozenset[str]
    purpose: str
    mfa_at: datetime | None
    token: str
    act: str = ""
    behalf: frozenset[tuple[str, str]] = frozenset()
    use_case: str = ""
    trainings: frozenset[str] = frozenset()


def caller_of(
    claims: Claims, principal: Principal | None, purpose: str, token: str, now: datetime, *, in_person: bool = True
) -> Caller:
    """The caller; PrincipalOver if the login has ended, NotInPerson if somebody else acts where `in_person` forbids it.

    Roles and groups come from recorded facts alone, so that taking one away works at once and not when the
    token expires. Somebody who is not registered has none. A token with the claim `service` has the role
    `service` and no person: a service alone never does a person's act, and no fact turns a person into a service.
    """
    if principal is not None and principal.over(now):
        raise PrincipalOver(f"the login {principal.login} has ended")
    if claims.act and in_person:
        raise NotInPerson
    if claims.act and purpose not in {"", claims.purpose}:
        raise TokenRefused(f"the token is for the purpose {claims.purpose} alone")
    own = principal.roles if principal else frozenset()
    # What is lent to a person is theirs to use, and nobody acts with it in their name: no second hand.
    lent = [] if claims.act or principal is None else [one for one in principal.lent if now.date() <= one.until]
    roles = own | {one.role for one in lent}
    trainings = principal.trainings if principal else {}
    return Caller(
        person="" if claims.service else principal.person if principal else claims.person,
        login=claims.login,
        service=claims.service,
        issuer=claims.issuer,
        roles=roles | {"service"} if claims.service else roles - {"service"},
        groups=principal.groups if principal else frozenset(),
        purpose=claims.purpose if claims.act else purpose,
        mfa_at=None if claims.act else claims.mfa_at,
        token=token,
        act=claims.act,
        behalf=frozenset((one.role, one.by_person) for one in lent if one.role not in own),
        use_case=claims.use_case,
        trainings=frozenset(name for name, until in trainings.items() if now.date() <= until),
    )
