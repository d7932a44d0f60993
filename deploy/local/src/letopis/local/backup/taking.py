"""Taking a backup while everything works.

The order is what makes it sound. Audit's database first, so that no copy is ahead of its ledger. Journals twice, before
and after the ledger they are shipped to, so that a segment that leaves between the two is still there. Files after the
databases, because they are written before facts name them and never change. Keys last, so that whatever was sealed in
what was taken before has its key.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.local.backup import databases, layout, manifest
from letopis.local.backup.manifest import Content, Dumped, Manifest
from letopis.local.environment import open_secrets, superuser_url
from letopis.local.plan import Plan
from letopis.local.postgres.provision import in_database

_SQLITE = b"SQLite format 3\0"


class TargetTaken(LetopisError):
    """Something is there already."""

    code = "local.backup_target"
    title = "A backup needs a new folder"


def take(plan: Plan, target: Path, keys: Path) -> tuple[Manifest, Manifest]:
    """Back the running installation up into two new folders; the manifests of the data and of the keys.

    A folder without a manifest is a backup that broke off.
    """
    for folder in (target, keys):
        if folder.exists():
            raise TargetTaken(f"{folder} is there already")
    if target in keys.parents or keys in target.parents:
        raise TargetTaken(f"{keys} and {target} must lie apart")
    server = superuser_url(plan, open_secrets(plan))
    for folder in (target, keys):
        (folder / "databases").mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)
    about = (version("letopis"), databases.version(server), datetime.now(UTC).isoformat(timespec="seconds"))
    dumped = _dumped(server, target, layout.DATABASES[:1])
    _copy(plan.data, target, _journals(plan.data))
    dumped |= _dumped(server, target, layout.DATABASES[1:])
    _copy(plan.data, target, layout.files(plan.data, keys=False))
    data = _manifest("data", about, dumped, target)
    pair = manifest.write(target, data)
    kept = _dumped(server, keys, layout.KEY_DATABASES)
    _copy(plan.data, keys, layout.files(plan.data, keys=True))
    secret = _manifest("keys", about, kept, keys, pair)
    manifest.write(keys, secret)
    return data, secret


def _dumped(server: str, folder: Path, names: Iterable[str]) -> dict[str, Dumped]:
    told = {}
    for name in names:
        file = f"databases/letopis_{name}.dump"
        told[name] = databases.dump(in_database(server, f"letopis_{name}"), folder / file, file)
    return told


def _journals(data: Path) -> Iterable[str]:
    return (name for name in layout.files(data, keys=False) if name.startswith(f"{layout.JOURNALS}/"))


def _copy(data: Path, folder: Path, names: Iterable[str]) -> None:
    """Copy files as they are now; one that has gone meanwhile was not needed."""
    for name in names:
        target = folder / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _copy_file(data / name, target)
        except FileNotFoundError:
            continue
        target.chmod(0o600)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        database = file.read(len(_SQLITE)) == _SQLITE
    if not database:
        shutil.copyfile(source, target)
        return
    uri = f"{source.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _manifest(
    kind: str, about: tuple[str, int, str], dumped: dict[str, Dumped], folder: Path, pair: str = ""
) -> Manifest:
    found: dict[str, Content] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = manifest.content(path)
            _sync(path)
    letopis, postgres, at = about
    return Manifest(
        format=manifest.FORMAT,
        kind="keys" if kind == "keys" else "data",
        letopis=letopis,
        postgres=postgres,
        taken_at=at,
        databases=dumped,
        files=found,
        pair=pair,
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
