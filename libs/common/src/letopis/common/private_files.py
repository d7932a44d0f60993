"""Files that only their owner may read: written whole or not at all, refused when others can read them."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from letopis.common.errors import LetopisError


class SecretExposedError(LetopisError):
    """A secret can be read by others than its owner."""

    code = "secret.exposed"
    title = "A secret can be read by others"


def read_private(path: Path) -> str:
    """The text of a file with mode 0600; SecretExposedError if others may read it."""
    if path.stat().st_mode & 0o077:
        raise SecretExposedError(f"{path} can be read by others; run: chmod 600 {path}")
    return path.read_text("utf-8")


def write_private(path: Path, text: str) -> None:
    """Replace the file's content at once, mode 0600."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def make_private_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a file while it is read, changed and written by one of several processes."""
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class PrivateDocument:
    """A JSON object in a private file, read again when another process has changed it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] = (0, 0)
        self._document: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """The document; empty if the file is not there."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        if self._seen != (status.st_mtime_ns, status.st_ino):
            self._document = json.loads(read_private(self.path))
            self._seen = (status.st_mtime_ns, status.st_ino)
        return self._document

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """The document to change in place; written when the block ends well."""
        with locked(self.path):
            document = json.loads(json.dumps(self.read()))
            yield document
            write_private(self.path, json.dumps(document, indent=1, ensure_ascii=False))
