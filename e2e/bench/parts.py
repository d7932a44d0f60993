"""PostgreSQL and NATS of the wheels, as durable as in the stack, with the databases of two real services."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from letopis.common import migrating
from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.nats import provision as streams
from letopis.local.nats import server as nats
from letopis.local.nats.keys import new_seed, public_key
from letopis.local.nats.permissions import NatsUser, of_administrator, of_service
from letopis.local.ports import free_port
from letopis.local.postgres import provision, server
from letopis.local.postgres.provision import ROLES, Database
from letopis.local.topology import AUDIT, INFERENCE, REGISTRY, SERVICES

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs: migrated databases, the bus, and the key files of its users (`bare` may do everything)."""

    registry: Database
    inference: Database
    audit: Database
    nats_url: str
    seeds: Mapping[str, Path]


@contextmanager
def running() -> Iterator[Parts]:
    """Start both in a folder of their own; ended and gone afterwards."""
    with TemporaryDirectory(prefix="letopis-bench-") as name, ExitStack() as ends:
        folder = Path(name)
        # As root, PostgreSQL enters a user namespace or runs as another user, who must get through.
        folder.chmod(0o711)
        superuser = _postgres(folder, ends)
        databases = {}
        for service in (REGISTRY, INFERENCE, AUDIT):
            passwords = {role: secrets.token_urlsafe(18) for role in ROLES}
            made = provision.provision(superuser, service.name, passwords)
            migrating.upgrade(service.name, made.owner_url, made.app_url, made.projector_url)
            databases[service.name] = made
        url, seeds = _nats(folder, ends)
        yield Parts(**databases, nats_url=url, seeds=seeds)


def _postgres(folder: Path, ends: ExitStack) -> str:
    password, port = secrets.token_urlsafe(24), free_port()
    server.initialise(folder / "postgres", password)
    program = server.program(folder / "postgres", folder / "postgres.log", HOST, port)
    url = f"postgresql://{server.SUPERUSER}:{password}@{HOST}:{port}/postgres"
    process = _start(program, ends)
    wait_until(lambda: server.answers(url), process, program, 30)
    return url


def _nats(folder: Path, ends: ExitStack) -> tuple[str, dict[str, Path]]:
    port, seeds, publics = free_port(), {}, {}
    for name in ("admin", "bare", *(service.name for service in SERVICES)):
        seed = new_seed()
        seeds[name], publics[name] = folder / f"{name}.nats_seed", public_key(seed)
        seeds[name].write_text(seed, "ascii")
    users = [of_service(service, publics[service.name]) for service in SERVICES]
    bare = NatsUser(name="bare", public_key=publics["bare"], publish=(">",), subscribe=(">",))
    program = nats.program(
        folder / "nats", folder / "nats.log", HOST, port, [*users, of_administrator(publics["admin"]), bare]
    )
    process = _start(program, ends)
    wait_until(lambda: nats.answers(HOST, port), process, program, 30)
    url = f"nats://{HOST}:{port}"
    asyncio.run(streams.provision(url, seeds["admin"].read_text("ascii"), SERVICES))
    return url, seeds


def _start(program: Program, ends: ExitStack):
    process = spawn(program)
    ends.callback(end, process, program.stop_signal)
    return process
