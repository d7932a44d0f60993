"""What was granted and not yet turned into tokens: codes, devices, and refresh tokens with their families."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from letopis.common.private_files import PrivateDocument

CODE_LASTS = timedelta(seconds=60)
REQUEST_LASTS = timedelta(minutes=10)
DEVICE_LASTS = timedelta(minutes=10)
DEVICE_INTERVAL = timedelta(seconds=2)
FAMILY_LASTS = timedelta(hours=12)
# Two processes of one person may refresh at the same moment; later than this, a second use means theft.
REUSE_GRACE = timedelta(seconds=10)
MOST_PENDING = 1000
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has logged in to a client; `family` binds all tokens that come of it.

    `mfa_at` is when they showed a second factor, None where nobody asked for one.
    """

    login: str
    client_id: str
    scope: str
    auth_time: datetime
    family: str
    nonce: str = ""
    mfa_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A checked request of the authorization endpoint, waiting for somebody to log in."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    challenge: str
    until: datetime
    mfa: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    session: Session
    redirect_uri: str
    challenge: str
    until: datetime
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that waits (RFC 8628); `session` is set when somebody said yes, `denied` when no."""

    client_id: str
    scope: str
    user_code: str
    until: datetime
    mfa: bool = False
    polled_at: datetime | None = None
    interval: timedelta = DEVICE_INTERVAL
    session: Session | None = None
    denied: bool = False


@dataclass(slots=True)
class Pending:
    """Everything that lives for minutes; a restart forgets it and people begin again."""

    requests: dict[str, AuthorizationRequest] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def sweep(self, now: datetime) -> None:
        """Forget what is over; what is too much goes, oldest first."""
        for waiting in (self.requests, self.codes, self.devices):
            for key in [key for key, one in waiting.items() if one.until < now]:
                del waiting[key]
            for key in list(waiting)[: max(len(waiting) - MOST_PENDING, 0)]:
                del waiting[key]

    def device_of(self, user_code: str) -> tuple[str, Device] | None:
        """The waiting device of a code that a person typed, in any case and with any separators."""
        typed = "".join(letter for letter in user_code.upper() if letter in _CONSONANTS)
        for device_code, device in self.devices.items():
            if device.user_code.replace("-", "") == typed:
                return device_code, device
        return None


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def new_user_code() -> str:
    """Eight consonants, so that no words come out; 20^8 codes for at most a thousand devices of ten minutes."""
    letters = "".join(secrets.choice(_CONSONANTS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


class RefreshTokens:
    """Refresh tokens, each used once; only hashes are kept. A second use revokes the whole family."""

    def __init__(self, folder: Path) -> None:
        self._document = PrivateDocument(folder / "refresh.json")

    def issue(self, session: Session, now: datetime) -> str:
        """The first token of a session's family."""
        token = new_secret()
        with self._document.change() as document:
            families = document.setdefault("families", {})
            for family in [name for name, one in families.items() if datetime.fromisoformat(one["until"]) < now]:
                del families[family]
            families[session.family] = {
                "login": session.login,
                "client_id": session.client_id,
                "scope": session.scope,
                "auth_time": session.auth_time.isoformat(),
                "mfa_at": session.mfa_at.isoformat() if session.mfa_at else "",
                "until": (now + FAMILY_LASTS).isoformat(),
                "tokens": {_hash(token): ""},
            }
        return token

    def use(self, token: str, client_id: str, now: datetime) -> tuple[Session, str] | None:
        """The session and the next token; None if the token is not good, and then its family is not either."""
        with self._document.change() as document:
            families = document.setdefault("families", {})
            name = next((name for name, one in families.items() if _hash(token) in one["tokens"]), None)
            if name is None:
                return None
            family = families[name]
            used_at = family["tokens"][_hash(token)]
            stolen = bool(used_at) and datetime.fromisoformat(used_at) + REUSE_GRACE < now
            if stolen or family["client_id"] != client_id or datetime.fromisoformat(family["until"]) < now:
                del families[name]
                return None
            following = new_secret()
            family["tokens"] |= {_hash(token): used_at or now.isoformat(), _hash(following): ""}
            session = Session(
                login=family["login"],
                client_id=client_id,
                scope=family["scope"],
                auth_time=datetime.fromisoformat(family["auth_time"]),
                mfa_at=datetime.fromisoformat(family["mfa_at"]) if family.get("mfa_at") else None,
                family=name,
            )
            return session, following

    def revoke(self, family: str) -> None:
        if family in self._document.read().get("families", {}):
            with self._document.change() as document:
                document.get("families", {}).pop(family, None)


def granted(device: Device, login: str, now: datetime, mfa_at: datetime | None) -> Device:
    """The device after somebody logged in for it."""
    session = Session(
        login=login,
        client_id=device.client_id,
        scope=device.scope,
        auth_time=now,
        family=new_secret(),
        mfa_at=mfa_at,
    )
    return replace(device, session=session)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
