"""Servers of the harness: a PostgreSQL that syncs and a NATS, each of which can be killed, frozen and started again."""

import asyncio
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from e2e.chaos.place import OWNERS, SERVICES

from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.nats import provision
from letopis.local.nats import server as nats_program
from letopis.local.nats.keys import new_seed, public_key
from letopis.local.nats.permissions import NatsUser, of_administrator, of_service
from letopis.local.ports import free_port
from letopis.local.postgres import server
from letopis.local.testing import Databases
from letopis.local.topology import SERVICES as KNOWN

HOST = "127.0.0.1"
PATIENCE = 180.0
T = TypeVar("T")


def until(what: str, ask: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first truthy answer; TimeoutError says what never came."""
    deadline = time.monotonic() + patience
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.05)
    return answer


@dataclass(slots=True)
class Postgres:
    """A server over one data directory; synchronous in everything, for it is going to be killed."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    process: Any = None

    @property
    def url(self) -> str:
        return f"postgresql://{server.SUPERUSER}:{self.password}@{HOST}:{self.port}/postgres"

    def start(self, *settings: str) -> None:
        """Start it, with lines added to its configuration."""
        data = self.folder / "postgres"
        server.initialise(data, self.password)
        program = server.program(data, self.folder / "postgres.log", HOST, self.port)
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{one}\n" for one in settings)
        self.launch(program)

    def launch(self, program: Program) -> None:
        self.process = spawn(program)
        wait_until(lambda: server.answers(self.url), self.process, program, 60)

    def kill(self) -> int:
        """Kill -9 of the postmaster and every backend at once; how many processes that were."""
        self.process.send_signal(signal.SIGSTOP)
        family = [*children(self.process.pid), self.process.pid]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        until("the backends' end", lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
        return len(family)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """As superuser, in autocommit mode."""
        return psycopg.connect(self.url.rpartition("/")[0] + f"/{database}", autocommit=True, connect_timeout=5)

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            end(self.process, signal.SIGINT)


def children(pid: int) -> list[int]:
    """Processes whose parent this is."""
    with suppress(FileNotFoundError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return []


@dataclass(slots=True)
class Nats:
    """A server with keys for every service and one that may do everything."""

    folder: Path
    port: int = field(default_factory=free_port)
    seeds: dict[str, Path] = field(default_factory=dict)
    process: Any = None

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    @property
    def store(self) -> Path:
        return self.folder / "nats" / "jetstream"

    def start(self) -> None:
        names = [service.name for service in KNOWN]
        if not self.seeds:
            for name in ("admin", "root", *names):
                self.seeds[name] = self.folder / f"{name}.nats_seed"
                self.seeds[name].write_text(new_seed(), "ascii")
        keys = {name: public_key(path.read_text("ascii")) for name, path in self.seeds.items()}
        everything = NatsUser(name="root", public_key=keys["root"], publish=(">",), subscribe=(">",))
        users = [of_service(service, keys[service.name]) for service in KNOWN]
        users += [of_administrator(keys["admin"]), everything]
        program = nats_program.program(self.folder / "nats", self.folder / "nats.log", HOST, self.port, users)
        self.process = spawn(program)
        wait_until(lambda: nats_program.answers(HOST, self.port), self.process, program, 30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lose(self) -> None:
        """Its whole store is gone; to be called while it is down."""
        shutil.rmtree(self.store)

    def provide(self) -> list[str]:
        """Streams and durables of the services of a run, as the stack's caretaker makes them."""
        services = [service for service in KNOWN if service.name in SERVICES]
        seed = self.seeds["admin"].read_text("ascii")
        return asyncio.run(provision.provision(self.url, seed, services))

    def delete(self, ledgers: Iterable[str] = OWNERS) -> None:
        """Streams are gone, with their durables."""
        from nats.js.errors import NotFoundError

        async def go(js: Any) -> None:
            for ledger in ledgers:
                with suppress(NotFoundError):
                    await js.delete_stream(f"LEDGER_{ledger}")

        self.as_root(go)

    def as_root(self, work: Callable[[Any], Any]) -> Any:
        """Do something over JetStream as the user who may do everything."""
        import nats

        async def go() -> Any:
            seed = self.seeds["root"].read_text("ascii")
            client = await nats.connect(self.url, nkeys_seed_str=seed, allow_reconnect=False, connect_timeout=5)
            try:
                return await work(client.jetstream(timeout=10))
            finally:
                await client.close()

        return asyncio.run(go())

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            end(self.process, signal.SIGTERM)


@dataclass(slots=True)
class Yard:
    """All servers of one harness, below one folder; runs keep their own files in `scratch`, or there too."""

    folder: Path
    scratch: Path | None = None
    postgres: Postgres = field(init=False)
    nats: Nats = field(init=False)
    databases: Databases = field(init=False)
    kept: dict[str, Any] = field(default_factory=dict)
    ends: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.postgres, self.nats = Postgres(self.folder), Nats(self.folder)

    @property
    def run(self) -> Path:
        """The files of the present run."""
        return (self.scratch or self.folder) / "run"

    def open(self) -> None:
        self.postgres.start()
        self.databases = Databases(self.postgres.url)
        for service in SERVICES:
            self.databases.drop(self.databases.clone(service, None))
        self.nats.start()

    def keep(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What several runs share: made on first use, ended with the yard, and made anew after a run that broke off."""
        if name not in self.kept:
            self.kept[name] = self.ends.enter_context(make())
        found: T = self.kept[name]
        return found

    def mend(self) -> None:
        """Both servers run again, whatever a scenario that broke off has left."""
        self.close()
        (self.folder / "postgres" / "postgresql.auto.conf").write_text("", "ascii")
        self.postgres.start()
        self.nats.start()

    def close(self) -> None:
        self.kept.clear()
        self.ends.close()
        self.postgres.end()
        self.nats.end()
