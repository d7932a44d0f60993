"""A content-addressed object store: the name is the SHA-256, checked again at every read."""

import os
from hashlib import file_digest, sha256
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from letopis.common.errors import Invalid, NotFound, ObjectDamaged, Unavailable


class ObjectStore:
    """Objects under `file:///directory`; written aside, synced, then renamed, so a name is never half there."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file":
            raise Invalid(f"object store {url!r}: only file:/// directories are supported")
        self.root = Path(url2pathname(parts.path))
        self._stood = self.root.is_dir()

    def path(self, sha: str) -> Path:
        """Where an object lies; Invalid if the name is no SHA-256 in lower-case hex."""
        if len(sha) != 64 or not set(sha) <= set("0123456789abcdef"):
            raise Invalid(f"{sha!r} is not a SHA-256 in lower-case hex")
        return self.root / "sha256" / sha[:2] / sha

    def has(self, sha: str) -> bool:
        """Whether the object is there; Unavailable if the store is not."""
        if self.path(sha).is_file():
            return True
        self._standing()
        return False

    def put(self, data: bytes) -> str:
        """Store bytes and return their SHA-256; durable on return."""
        sha = sha256(data).hexdigest()
        if not self.has(sha):
            aside = self._aside()
            with aside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._settle(aside, sha)
        return sha

    def put_file(self, source: Path) -> str:
        """Store a copy of a file, read in pieces."""
        aside = self._aside()
        with source.open("rb") as origin, aside.open("xb") as file:
            while piece := origin.read(1 << 20):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        with aside.open("rb") as file:
            sha = file_digest(file, "sha256").hexdigest()
        self._settle(aside, sha)
        return sha

    def get(self, sha: str) -> bytes:
        """The object's bytes; NotFound, Unavailable, or ObjectDamaged if they are not what the name promises."""
        data = self.verified(sha).read_bytes()
        if sha256(data).hexdigest() != sha:
            raise ObjectDamaged(f"object {sha} has other content", sha256=sha)
        return data

    def verified(self, sha: str) -> Path:
        """The object's file after re-hashing it; Unavailable if the store itself is not there."""
        path = self.path(sha)
        try:
            with path.open("rb") as file:
                actual = file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            # A share that is not mounted holds nothing, which says nothing of the object.
            if not self.root.is_dir():
                raise Unavailable("the object store is not there") from None
            raise NotFound(f"there is no object {sha}") from None
        if actual != sha:
            raise ObjectDamaged(f"object {sha} has content {actual}", sha256=sha)
        return path

    def remove(self, sha: str) -> None:
        """Delete the object; nothing happens if it is not there."""
        self.path(sha).unlink(missing_ok=True)

    def _standing(self) -> None:
        """Unavailable if the store stood here and does not any more.

        A share that is not mounted holds nothing, and what were written in its place would be hidden by it later.
        """
        there = self.root.is_dir()
        if self._stood and not there:
            raise Unavailable("the object store is not there")
        self._stood = there

    def _aside(self) -> Path:
        self._standing()
        try:
            (self.root / "aside").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"the object store cannot be written: {error.strerror}") from error
        self._stood = True
        return self.root / "aside" / str(uuid4())

    def _settle(self, aside: Path, sha: str) -> None:
        path = self.path(sha)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
