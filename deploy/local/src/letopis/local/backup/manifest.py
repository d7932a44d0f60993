"""The list of everything in one folder of a backup, with hashes; read and held against the folder."""

import os
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

import msgspec

from letopis.common.errors import LetopisError

FORMAT = 1
NAME = "manifest.json"


class BackupDamaged(LetopisError):
    """A file of a backup is not the one that was written."""

    code = "local.backup_damaged"
    title = "This backup is damaged; use another one"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A file: its size in bytes and its SHA-256."""

    size: int
    sha256: str


class Dumped(msgspec.Struct, frozen=True, kw_only=True):
    """A database at one moment: its migration, the heads of its ledgers, and of the copies that audit has."""

    file: str
    migration: str
    heads: dict[str, int]
    copies: dict[str, int]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`pair` is, in the keys' manifest, the SHA-256 of the data's manifest they were taken with."""

    format: int
    kind: Literal["data", "keys"]
    letopis: str
    postgres: int
    taken_at: str
    databases: dict[str, Dumped]
    files: dict[str, Content]
    pair: str = ""


def content(path: Path) -> Content:
    with path.open("rb") as file:
        return Content(size=os.fstat(file.fileno()).st_size, sha256=file_digest(file, "sha256").hexdigest())


def write(folder: Path, manifest: Manifest) -> str:
    """Write the manifest last of all, durable; its SHA-256."""
    told = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    aside = folder / f".{NAME}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(told)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(folder / NAME)
    return sha256(told).hexdigest()


def read(folder: Path, kind: Literal["data", "keys"]) -> Manifest:
    """The manifest of a folder all of whose files are as they were written; BackupDamaged names the first that is not.

    A file that the manifest does not name is damage too: somebody has put it there.
    """
    path = folder / NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest, strict=True)
    except FileNotFoundError:
        raise BackupDamaged(f"{folder} has no {NAME}: it is no backup, or one that was not finished") from None
    except msgspec.MsgspecError as error:
        raise BackupDamaged(f"{path} cannot be read: {error}") from error
    if manifest.format != FORMAT or manifest.kind != kind:
        raise BackupDamaged(f"{path} tells of {manifest.kind} in format {manifest.format}, not of {kind} in {FORMAT}")
    found = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()} - {NAME}
    for name in sorted(found | set(manifest.files)):
        if name not in found:
            raise BackupDamaged(f"{folder / name} is missing")
        if name not in manifest.files:
            raise BackupDamaged(f"{folder / name} does not belong to it")
        if content(folder / name) != manifest.files[name]:
            raise BackupDamaged(f"{folder / name} is not the file that was written")
    return manifest
