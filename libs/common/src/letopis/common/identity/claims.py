"""What an access token says, read strictly: a claim of the wrong shape spoils the whole token."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from letopis.common.errors import Unauthenticated

LEEWAY = timedelta(seconds=5)
LONGEST_LIFE = timedelta(hours=24)
LONGEST_DELEGATED = timedelta(minutes=5)
LATEST = 253_402_300_799  # the last second of the year 9999
LONGEST_TEXT = 255
MOST_GROUPS = 500


class TokenRefused(Unauthenticated):
    """The token is not one we can trust; the detail says why."""

    code = "token.refused"
    title = "The access token is refused; log in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The trusted content of a verified access token.

    `login` is the subject, `person` what the provider says of the human behind it (may be empty); `service` is set only
    in the tokens that a service of this installation got for itself. `mfa_at` is when a second factor was last shown.
    `act` names who acts in the person's name (RFC 8693, section 4.1), and then `purpose` is the only one it may have.
    """

    login: str
    issuer: str
    issued_at: datetime
    expires_at: datetime
    client_id: str = ""
    name: str = ""
    person: str = ""
    groups: frozenset[str] = frozenset()
    service: str = ""
    auth_time: datetime | None = None
    mfa_at: datetime | None = None
    token_id: str = ""
    act: str = ""
    purpose: str = ""
    use_case: str = ""


def read(document: dict[str, Any], *, issuer: str, audience: str, now: datetime, service: str = "") -> Claims:
    """The claims of a payload whose signature was verified; TokenRefused says which claim is wrong.

    A token that somebody got by exchange is for one service (`<audience>:<service>`), one purpose and five minutes;
    one that only says so of itself (an actor, but for everybody, or for longer) is refused.
    """
    if _text(document, "iss", required=True) != issuer:
        raise TokenRefused("the token comes from another issuer")
    act, purpose = _actor(document), _text(document, "purpose")
    wanted = f"{audience}:{service}" if act else audience
    if wanted not in _audiences(document):
        raise TokenRefused(f"the token is not meant for {wanted}")
    issued_at, expires_at = _time(document, "iat"), _time(document, "exp")
    if issued_at is None or expires_at is None:
        raise TokenRefused("the token lacks iat or exp")
    not_before = _time(document, "nbf") or issued_at
    if expires_at <= now:
        raise TokenRefused("the token has expired")
    if max(issued_at, not_before) > now + LEEWAY:
        raise TokenRefused("the token is not valid yet")
    if not issued_at < expires_at <= issued_at + LONGEST_LIFE:
        raise TokenRefused("the token lives longer than a day")
    if act and not (purpose and expires_at - issued_at <= LONGEST_DELEGATED and not _text(document, "service")):
        raise TokenRefused("a token by exchange has a purpose, a person, and five minutes at most")
    auth_time = _time(document, "auth_time")
    return Claims(
        login=_text(document, "sub", required=True),
        issuer=issuer,
        issued_at=issued_at,
        expires_at=expires_at,
        client_id=_text(document, "client_id") or _text(document, "azp"),
        name=_text(document, "name"),
        person=_text(document, "person"),
        groups=frozenset(_texts(document, "groups")),
        service=_text(document, "service"),
        auth_time=auth_time,
        mfa_at=_time(document, "mfa_at") or (auth_time if "mfa" in _texts(document, "amr") else None),
        token_id=_text(document, "jti"),
        act=act,
        purpose=purpose if act else "",
    )


def _actor(document: dict[str, Any]) -> str:
    """Who acts; a chain of actors is refused, since nobody passes on what was lent to them."""
    if "act" not in document:
        return ""
    act = document["act"]
    if not isinstance(act, dict) or set(act) != {"sub"}:
        raise TokenRefused("claim act does not name one actor")
    return _text(act, "sub", required=True)


def _audiences(document: dict[str, Any]) -> list[str]:
    stated = document.get("aud")
    return [stated] if isinstance(stated, str) else _texts(document, "aud")


def _text(document: dict[str, Any], name: str, *, required: bool = False) -> str:
    value = document.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise TokenRefused(f"claim {name} is not a short printable text")
    if required and not value:
        raise TokenRefused(f"the token lacks {name}")
    return value


def _texts(document: dict[str, Any], name: str) -> list[str]:
    value = document.get(name, [])
    if (
        not isinstance(value, list)
        or len(value) > MOST_GROUPS
        or not all(isinstance(one, str) and one.isprintable() for one in value)
    ):
        raise TokenRefused(f"claim {name} is not a list of texts")
    return value


def _time(document: dict[str, Any], name: str) -> datetime | None:
    value = document.get(name)
    if value is None and name not in document:
        return None
    # bool is an int to Python, a float is one to a careless reader; neither is a NumericDate here.
    if type(value) is not int or not 0 < value <= LATEST:
        raise TokenRefused(f"claim {name} is not a time in whole seconds")
    return datetime.fromtimestamp(value, UTC)
