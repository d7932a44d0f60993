"""Keys of notebooks: shown once, kept as a hash, short-lived, bound to one purpose and use case of one person.

A key reads `letopis-key.<key id>.<login, base64url>.<secret>`. The secret has 256 random bits, so its plain SHA-256 is
as hard to turn back as the secret is to guess, and a check costs microseconds.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from letopis.common.identity.caller import Principal
from letopis.common.identity.claims import Claims, TokenRefused

PREFIX = "letopis-key."
ISSUER = "urn:letopis:registry"
_SHAPE = re.compile(r"letopis-key\.([0-9a-f-]{36})\.([A-Za-z0-9_-]{1,96})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The parts of a key that somebody presents; nothing of it is believed yet."""

    key_id: str
    login: str
    secret: str


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a secret: SHA-256, lower-case hex."""
    return sha256(secret.encode()).hexdigest()


def spelled(key_id: str, login: str, secret: str) -> str:
    """The key as its owner gets to see it, once."""
    return f"{PREFIX}{key_id}.{urlsafe_b64encode(login.encode()).decode().rstrip('=')}.{secret}"


def parsed(token: str) -> Presented:
    """The parts of a key; TokenRefused if it is none."""
    found = _SHAPE.fullmatch(token)
    if found is None:
        raise TokenRefused("this is not a key of a notebook")
    try:
        login = urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)).decode("ascii")
    except ValueError:
        raise TokenRefused("this is not a key of a notebook") from None
    return Presented(key_id=found[1], login=login, secret=found[3])


def claims_of(presented: Presented, principal: Principal | None, now: datetime) -> Claims:
    """Who presents a key that is good now, as a token would say it; TokenRefused tells nobody which part is wrong."""
    key = principal.notebook_keys.get(presented.key_id) if principal else None
    # A key that nobody knows is compared too, so that the time taken tells nothing.
    right = hmac.compare_digest(hashed(presented.secret), key.hash if key else hashed(""))
    if key is None or principal is None or not right or not key.issued_at <= now < key.until:
        raise TokenRefused("the key is wrong, over or revoked; issue another one")
    return Claims(
        login=presented.login,
        issuer=ISSUER,
        issued_at=key.issued_at,
        expires_at=key.until,
        person=principal.person,
        act=f"notebook:{presented.key_id}",
        purpose=key.purpose,
        use_case=key.use_case_id,
    )
