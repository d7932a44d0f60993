"""The caller of a request: claims of the token joined with what the registry's facts say of the login."""

from dataclasses import dataclass
from datetime import date, datetime

from letopis.common.errors import Unauthenticated
from letopis.common.identity.claims import Claims


class PrincipalOver(Unauthenticated):
    """The login was ended or its end date has passed."""

    code = "principal.over"
    title = "This login has ended; ask an administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A login as recorded facts know it; `keys` maps key ids to raw Ed25519 public keys in base64.

    `until` is the last day on which the login may act (UTC), None without an end.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and for what purpose; person is empty for services."""

    person: str
    login: str
    service: str
    issuer: str
    roles: frozenset[str]
    groups: frozenset[str]
    purpose: str
    mfa_at: datetime | None
    token: str


def caller_of(claims: Claims, principal: Principal | None, purpose: str, token: str, now: datetime) -> Caller:
    """The caller; PrincipalOver if the login has ended.

    Roles and groups come from recorded facts alone, so that taking one away works at once and not when the
    token expires. Somebody who is not registered has none. A token with the claim `service` has the role
    `service` and no person: a service alone never does a person's act, and no fact turns a person into a service.
    """
    if principal is not None and (principal.ended or (principal.until and now.date() > principal.until)):
        raise PrincipalOver(f"the login {principal.login} has ended")
    roles = principal.roles if principal else frozenset()
    return Caller(
        person="" if claims.service else principal.person if principal else claims.person,
        login=claims.login,
        service=claims.service,
        issuer=claims.issuer,
        roles=roles | {"service"} if claims.service else roles - {"service"},
        groups=principal.groups if principal else frozenset(),
        purpose=purpose,
        mfa_at=claims.mfa_at,
        token=token,
    )
