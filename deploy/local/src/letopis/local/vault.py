"""Secrets of a data directory: made once, mode 0600, never a default."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Vault:
    """A folder (0700) of secrets, one a file (0600)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)

    def path(self, name: str, make: Callable[[], str]) -> Path:
        """The file of a secret, made now if it never was; two processes at once agree on one."""
        path = self._folder / name
        if not path.exists():
            aside = self._folder / f".{name}.{os.getpid()}"
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            try:
                # A link fails where a rename would replace what another process made first.
                path.hardlink_to(aside)
            except FileExistsError:
                pass
            finally:
                aside.unlink()
        return path

    def text(self, name: str, make: Callable[[], str]) -> str:
        return self.path(name, make).read_text("ascii")

    def password(self, name: str) -> str:
        return self.text(name, new_password)


def new_password() -> str:
    """192 random bits that need no quoting in a URL."""
    return secrets.token_urlsafe(24)


def new_ed25519() -> str:
    """A private Ed25519 key, PKCS8 PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
