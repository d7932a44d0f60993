"""Cookies that only we can read: AES-256-GCM under a key of this installation, with an end."""

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# The names; the first two are sealed, the others are the browser's own words and are checked where they are read.
SESSION = "letopis_session"
ATTEMPT = "letopis_login"
PURPOSE = "letopis_purpose"
SEEN = "letopis_seen"

LIFE = timedelta(hours=8)
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
POSITION = re.compile(r"[a-z]{1,32}/\d{1,15}")


@dataclass(frozen=True, slots=True)
class Setter:
    """Writes Set-Cookie headers: HttpOnly, SameSite=Lax, for the whole page, Secure where we are."""

    secure: bool

    def header(self, name: str, value: str, life: timedelta) -> bytes:
        """The header's value; a life of nothing makes the browser forget the cookie."""
        secure = "; Secure" if self.secure else ""
        seconds = int(life.total_seconds())
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}".encode("latin-1")

    def forget(self, name: str) -> bytes:
        """The header that makes the browser forget the cookie."""
        return self.header(name, "", timedelta())


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens cookie values; `name` is bound in, so one cookie cannot stand in for another."""

    key: bytes

    @classmethod
    def from_file(cls, path: Path) -> "Seal":
        """The key of this installation, made with mode 0600 on first use."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            aside = path.with_name(f".{path.name}.{os.getpid()}")
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(AESGCM.generate_key(256))
            # Of two processes that start at once the first gives the key, and nobody sees half of one.
            with suppress(FileExistsError):
                path.hardlink_to(aside)
            aside.unlink()
        return cls(path.read_bytes())

    def close(self, name: str, value: dict[str, Any], until: datetime) -> str:
        """The sealed value, good until a moment."""
        nonce = os.urandom(12)
        plain = msgspec.json.encode({"until": until.timestamp(), "value": value})
        return urlsafe_b64encode(nonce + AESGCM(self.key).encrypt(nonce, plain, name.encode())).decode()

    def open(self, name: str, text: str | None, now: datetime) -> dict[str, Any] | None:
        """The value, or None if there is none, it was changed, it is another cookie's, or its time is over."""
        if not text:
            return None
        try:
            raw = urlsafe_b64decode(text)
            document = msgspec.json.decode(AESGCM(self.key).decrypt(raw[:12], raw[12:], name.encode()))
        except (NotBase64, InvalidTag, ValueError):
            return None
        return document["value"] if document["until"] > now.timestamp() else None
