"""Codes of a second factor by the clock (RFC 6238 over RFC 4226): SHA-1, six digits, half a minute each, used once."""

import hmac
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

STEP = 30
DIGITS = 6
# A phone's clock may be one step off either way (RFC 6238, section 5.2).
DRIFT = (0, -1, 1)


def new_key() -> str:
    """160 random bits in base32, as authenticator applications take them."""
    return b32encode(secrets.token_bytes(20)).decode()


def code(key: bytes, counter: int, digits: int = DIGITS) -> str:
    """The code of a counter (RFC 4226, section 5.3)."""
    mac = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 0x0F
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def counter_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def address(key: str, login: str) -> str:
    """What an authenticator application reads."""
    return f"otpauth://totp/Letopis:{quote(login)}?secret={key}&issuer=Letopis"


@dataclass(slots=True)
class SecondFactors:
    """Checks codes; one that was used, and any older one, is not good again."""

    _last: dict[str, int] = field(default_factory=dict)

    def passed(self, login: str, key: str, typed: str, now: datetime) -> bool:
        """Whether this is a code of now that nobody used before; it is used up."""
        if not key or len(typed) != DIGITS or not typed.isascii() or not typed.isdigit():
            return False
        secret, current = b32decode(key), counter_of(now)
        found = [at for step in DRIFT if hmac.compare_digest(code(secret, at := current + step), typed)]
        if not found or found[0] <= self._last.get(login, 0):
            return False
        self._last[login] = found[0]
        return True
