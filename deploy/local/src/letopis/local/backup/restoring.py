"""Restoring: both folders checked whole, what stands there put aside, files laid down, databases filled.

The lock store is never restored. It stays where it is, or is brought from where it is kept: it knows the last head
that was signed, so a sealer over restored data sees what is missing.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from letopis.common.errors import LetopisError
from letopis.local import control
from letopis.local.backup import databases, layout, manifest
from letopis.local.backup.manifest import Manifest
from letopis.local.child import end, spawn, wait_until
from letopis.local.environment import Secrets, open_secrets, superuser_url
from letopis.local.plan import LOOPBACK, Plan, given_parts, remembered_base
from letopis.local.ports import free_port
from letopis.local.postgres import provision, server
from letopis.local.topology import BASE_PORT


class NotEmpty(LetopisError):
    """A restore would write over what is there."""

    code = "local.restore_not_empty"
    title = "The data directory is not empty"


class StackRuns(LetopisError):
    """A running stack would write into what is being restored."""

    code = "local.restore_running"
    title = "The stack is running; stop it first (letopis down)"


class OtherVersion(LetopisError):
    """The backup is of a newer PostgreSQL."""

    code = "local.restore_version"
    title = "This backup needs a newer version"


def restore(source: Path, keys: Path, data: Path, *, lock: Path | None = None, replace: bool = False) -> Manifest:
    """Restore a backup into a data directory; the manifest of what was restored.

    With `replace` what stood there goes into a folder `replaced-<time>` inside, but for the lock store and the list of
    destroyed keys, which no restore takes back. `lock` is a lock store kept elsewhere. Nothing is touched before
    both folders were found whole.
    """
    told, secret = manifest.read(source, "data"), manifest.read(keys, "keys")
    if control.running(data):
        raise StackRuns(f"over {data}")
    standing = sorted(path.name for path in data.iterdir()) if data.is_dir() else []
    if standing and not replace:
        raise NotEmpty(f"{data} holds {', '.join(standing[:5])}; choose another, or --replace to put it aside")
    data.mkdir(parents=True, exist_ok=True, mode=0o700 if os.geteuid() else 0o711)
    with control.Lock(data):
        _aside(data)
        for folder, listed in ((source, told), (keys, secret)):
            _lay(folder, listed, data)
        for name in ("objects", "state"):
            if (data / name).is_dir():
                (data / name).chmod(0o700)
        if lock is not None:
            _bring(lock, data)
        with databases_up(data) as (url, secrets):
            if databases.version(url) // 10000 < told.postgres // 10000:
                raise OtherVersion(f"it was taken from PostgreSQL {told.postgres // 10000}")
            for folder, listed in ((source, told), (keys, secret)):
                for service, dumped in listed.databases.items():
                    made = provision.provision(url, service, secrets.roles[service])
                    _empty(made)
                    databases.load(made.superuser_url, folder / dumped.file)
    return told


@contextmanager
def databases_up(data: Path) -> Iterator[tuple[str, Secrets]]:
    """PostgreSQL alone over a data directory whose stack does not run: the superuser's URL, and the secrets."""
    plan = plan_of(data)
    secrets = open_secrets(plan)
    if not plan.runs("postgres"):
        yield superuser_url(plan, secrets), secrets
        return
    port = free_port()
    cluster, log = data / "postgres", plan.log("postgres")
    server.initialise(cluster, secrets.postgres)
    program = server.program(cluster, log, LOOPBACK, port)
    url = f"postgresql://{server.SUPERUSER}:{secrets.postgres}@{LOOPBACK}:{port}/postgres"
    process = spawn(program)
    try:
        wait_until(lambda: server.answers(url), process, program, 60)
        yield url, secrets
    finally:
        end(process, program.stop_signal, 60)


def plan_of(data: Path) -> Plan:
    """The plan of an installation as far as its databases and secrets need one."""
    base = remembered_base(data) or BASE_PORT
    return Plan(data=data, profile="local", base_port=base, services=(), given=given_parts(), mlflow=False)


def _aside(data: Path) -> None:
    """Put what will be replaced into a folder of its own; nothing is deleted."""
    there = [name for name in layout.REPLACED if (data / name).exists()]
    if not there:
        return
    aside = data / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for name in there:
        (data / name).rename(aside / name)
    for name in layout.NEVER:
        if (aside / name).is_dir():
            shutil.copytree(aside / name, data / name)
    if (aside / layout.DESTROYED).is_file():
        (data / layout.DESTROYED).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(aside / layout.DESTROYED, data / layout.DESTROYED)


def _lay(folder: Path, listed: Manifest, data: Path) -> None:
    for name in listed.files:
        if not name.startswith("files/"):
            continue
        target = data / name.removeprefix("files/")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = (folder / name).read_bytes()
        if name == f"files/{layout.DESTROYED}" and target.is_file():
            # What was destroyed later than the backup stays destroyed.
            known = text.splitlines()
            text = b"\n".join([*known, *(one for one in target.read_bytes().splitlines() if one not in known)]) + b"\n"
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _bring(lock: Path, data: Path) -> None:
    target = data / layout.NEVER[0] / "heads.sqlite"
    if target.exists():
        raise NotEmpty(f"{target} is there already and is not replaced by another lock store")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(lock, target)
    target.chmod(0o600)


def _empty(database: provision.Database) -> None:
    """NotEmpty if a database, of a server that was given, holds something already."""
    with psycopg.connect(database.superuser_url) as connection:
        if connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone() == (True,):
            raise NotEmpty(f"database {database.name} holds tables; drop or rename it first")
