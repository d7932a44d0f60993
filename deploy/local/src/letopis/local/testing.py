"""Pytest fixtures that start real parts, once a session each and only if asked for."""

import asyncio
import json
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from letopis.common import migrating
from letopis.common.policy import asking
from letopis.common.policy.bundle import new_key
from letopis.common.policy.sources import Bundle, bundle_of, collect
from letopis.common.private_files import make_private_folder, write_private
from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.nats import provision as nats_provision
from letopis.local.nats import server as nats_program
from letopis.local.nats.keys import new_seed, public_key
from letopis.local.nats.permissions import NatsUser, of_administrator, of_service, of_subscriber
from letopis.local.nats.subscribers import Subscriber
from letopis.local.opa import server as opa_program
from letopis.local.plan import KEY_STORE
from letopis.local.ports import free_port
from letopis.local.postgres import provision, server
from letopis.local.postgres.provision import Database
from letopis.local.probe import healthy
from letopis.local.topology import KEY_CALLERS, SERVICES
from letopis.local.valkey import server as valkey_program

HOST = "127.0.0.1"
# Outside systems that tests play.
SUBSCRIBERS = ("siem", "lake")


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """Where the parts of this test session keep their data; gone afterwards."""
    folder = Path(mkdtemp(prefix="letopis-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[str]:
    """An embedded PostgreSQL; the value is the superuser's URL."""
    password = secrets.token_urlsafe(24)
    port = free_port()
    data = parts_folder / "postgres"
    server.initialise(data, password)
    # Tests kill processes, not the machine: the page cache is durable enough and four times faster.
    program = server.program(data, parts_folder / "postgres.log", HOST, port, durable=False)
    url = f"postgresql://{server.SUPERUSER}:{password}@{HOST}:{port}/postgres"
    process = spawn(program)
    try:
        wait_until(lambda: server.answers(url), process, program, 30)
        yield url
    finally:
        # Nobody needs the data any more: at once, also where a test left somebody half logged in.
        end(process, signal.SIGQUIT)


class Databases:
    """Clones of templates, each template made once a session."""

    def __init__(self, superuser_url: str) -> None:
        self._url = superuser_url
        self._passwords = {role: secrets.token_urlsafe(18) for role in provision.ROLES}
        self._templates: dict[object, str] = {}

    def clone(self, service: str, prepare: Callable[[Database], None] | None) -> Database:
        """A fresh database whose content is what migrations (or `prepare`) made of an empty one."""
        key = (service, prepare)
        if key not in self._templates:
            self._templates[key] = self._make_template(service, prepare).name
        return self._create(service, self._templates[key])

    def drop(self, database: Database) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            # Who was cancelled in the middle of a login would hold up the drop until the server gives up on it.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND state = 'starting' AND backend_start < clock_timestamp() - interval '1 second'"
            )
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def _make_template(self, service: str, prepare: Callable[[Database], None] | None) -> Database:
        with psycopg.connect(self._url, autocommit=True) as connection:
            provision.create_roles(connection, service, self._passwords)
        database = self._create(service, "template0")
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            provision.let_app_read(connection, service)
        if prepare:
            prepare(database)
        else:
            migrating.upgrade(service, database.owner_url, database.app_url, database.projector_url)
        return database

    def _create(self, service: str, template: str) -> Database:
        name = f"letopis_{service}_{uuid4().hex[:12]}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            provision.create_database(connection, service, name, template)
        return provision.describe(self._url, service, self._passwords, name)


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    return Databases(postgres)


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[Callable[..., Database]]:
    """Makes databases: `database("registry")` is migrated, `database(prepare=f)` clones what `f` made."""
    made: list[Database] = []

    def make(service: str = "test", prepare: Callable[[Database], None] | None = None) -> Database:
        made.append(databases.clone(service, prepare))
        return made[-1]

    yield make
    for one in made:
        databases.drop(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nats:
    """A server with streams and durables of every service; `seed(name)` is a user's key."""

    url: str
    seeds: Mapping[str, Path]

    def seed(self, name: str) -> str:
        """The nkey seed of a service, of `admin` (makes streams), or of `root` (may do everything, tests only)."""
        return self.seeds[name].read_text("ascii")

    def restore(self) -> list[str]:
        """Make missing streams and durables again, as the stack does; the names of what was made."""
        outside = [Subscriber(name=name, follows=()) for name in SUBSCRIBERS]
        return asyncio.run(nats_provision.provision(self.url, self.seed("admin"), [*SERVICES, *outside]))


@pytest.fixture(scope="session")
def nats_server(parts_folder: Path) -> Iterator[Nats]:
    """An embedded NATS with JetStream: a key file per service, streams and durables made."""
    port = free_port()
    folder = parts_folder / "nats-keys"
    folder.mkdir()
    seeds, publics = {}, {}
    for name in ("admin", "root", *(service.name for service in SERVICES), *SUBSCRIBERS):
        seed = new_seed()
        seeds[name], publics[name] = folder / f"{name}.nats_seed", public_key(seed)
        seeds[name].write_text(seed, "ascii")
    users = [of_service(service, publics[service.name]) for service in SERVICES]
    users += [of_subscriber(name, (), publics[name]) for name in SUBSCRIBERS]
    everything = NatsUser(name="root", public_key=publics["root"], publish=(">",), subscribe=(">",))
    users += [of_administrator(publics["admin"]), everything]
    program = nats_program.program(parts_folder / "nats", parts_folder / "nats.log", HOST, port, users)
    process = spawn(program)
    try:
        wait_until(lambda: nats_program.answers(HOST, port), process, program, 30)
        server = Nats(url=f"nats://{HOST}:{port}", seeds=seeds)
        server.restore()
        yield server
    finally:
        end(process, program.stop_signal)


@pytest.fixture(scope="session")
def valkey_server(parts_folder: Path) -> Iterator[str]:
    """An embedded Valkey; the value is its URL with user and password."""
    port, password = free_port(), secrets.token_urlsafe(24)
    program = valkey_program.program(parts_folder / "valkey", parts_folder / "valkey.log", HOST, port, password)
    url = valkey_program.url(HOST, port, password)
    process = spawn(program)
    try:
        wait_until(lambda: valkey_program.answers(url), process, program, 30)
        yield url
    finally:
        end(process, program.stop_signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKeys:
    """A key store; `secret(name)` is the file of a service's secret for it."""

    url: str
    folder: Path

    def secret(self, name: str) -> Path:
        return self.folder / f"{name}.secret"


@pytest.fixture(scope="session")
def subject_keys(parts_folder: Path, databases: Databases) -> Iterator[SubjectKeys]:
    """The key store's process over a database of its own."""
    port, folder = free_port(), parts_folder / "subject_keys"
    make_private_folder(folder)
    given = {name: secrets.token_urlsafe(18) for name in KEY_CALLERS}
    for name, secret in given.items():
        write_private(folder / f"{name}.secret", secret)
    hashes = {name: sha256(secret.encode()).hexdigest() for name, secret in given.items()}
    write_private(folder / "callers.json", json.dumps(hashes))

    def migrated(database: Database) -> None:
        migrating.upgrade("audit.subject_keys", database.owner_url, database.app_url, database.projector_url)

    database = databases.clone("subject_keys", migrated)
    told = {"DATABASE_URL": database.app_url, "STATE_DIR": str(folder), "PORT": str(port)}
    told["CALLERS_FILE"] = str(folder / "callers.json")
    program = Program(
        argv=[sys.executable, "-m", KEY_STORE, "all"],
        log=parts_folder / "subject_keys.log",
        environment={f"LETOPIS_SUBJECT_KEYS_{key}": value for key, value in told.items()},
    )
    url = f"http://{HOST}:{port}"
    process = spawn(program)
    try:
        wait_until(lambda: healthy(f"{url}/readyz", 0.5), process, program, 30)
        yield SubjectKeys(url=url, folder=folder)
    finally:
        end(process, program.stop_signal)


@pytest.fixture(scope="session")
def opa_serving(parts_folder: Path) -> Iterator[Callable[[Bundle], str]]:
    """Starts a policy engine over a bundle and returns its URL; the same bundle is served once a session.

    It is waited for longer than services do: a busy machine makes an answer late, which says nothing of what is tested.
    """
    with ExitStack() as ends, pytest.MonkeyPatch.context() as patience:
        patience.setattr(asking, "DEADLINE", 3.0)
        urls: dict[str, str] = {}

        def serve(bundle: Bundle) -> str:
            if bundle.revision not in urls:
                folder, port = parts_folder / f"opa-{len(urls)}", free_port()
                policy = opa_program.sign(bundle, new_key(), folder)
                program = opa_program.program(policy, folder / "log", HOST, port)
                process = spawn(program)
                ends.callback(end, process, program.stop_signal)
                url = f"http://{HOST}:{port}"
                wait_until(lambda: opa_program.answers(url), process, program, 30)
                urls[bundle.revision] = url
            return urls[bundle.revision]

        yield serve


@pytest.fixture(scope="session")
def opa_server(opa_serving: Callable[[Bundle], str]) -> str:
    """The URL of a policy engine that serves the policies of all installed services."""
    return opa_serving(bundle_of(collect()))
