"""Passwords are kept as scrypt (RFC 7914) with a salt each; wrong ones cost growing time."""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

COST, BLOCK, LANES = 2**15, 8, 1
SHORTEST, LONGEST = 12, 256
FREE_ATTEMPTS = 5


def hashed(password: str) -> str:
    """`scrypt$N$r$p$salt$hash`, 16 bytes of salt, 32 of hash, both base64."""
    salt = os.urandom(16)
    return f"scrypt${COST}${BLOCK}${LANES}${b64encode(salt).decode()}${b64encode(_derive(password, salt)).decode()}"


def matches(password: str, stored: str) -> bool:
    """Whether the password is the one; takes as long for a login that does not exist (stored empty)."""
    salt, expected = stored.split("$")[4:6] if stored else (b64encode(bytes(16)).decode(), "")
    return hmac.compare_digest(_derive(password[:LONGEST], b64decode(salt)), b64decode(expected)) and bool(stored)


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=64 * 2**20, dklen=32)


@dataclass(slots=True)
class Throttle:
    """After five wrong attempts at one thing the next has to wait, twice as long each time, at most five minutes."""

    _failures: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def wait(self, what: str, now: datetime) -> timedelta:
        """How long to wait before the next attempt; nothing if it may be made."""
        count, last = self._failures.get(what, (0, now))
        if count < FREE_ATTEMPTS:
            return timedelta()
        pause = timedelta(seconds=min(2 ** (count - FREE_ATTEMPTS + 1), 300))
        return max(last + pause - now, timedelta())

    def failed(self, what: str, now: datetime) -> None:
        count, _ = self._failures.get(what, (0, now))
        if len(self._failures) > 10_000:
            self._failures.clear()
        self._failures[what] = (count + 1, now)

    def passed(self, what: str) -> None:
        self._failures.pop(what, None)
