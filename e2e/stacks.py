"""Stacks that tests start, look into and hurt: by the command a person types, by process ids, as database superuser."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

LETOPIS = str(Path(sys.executable).parent / "letopis")
SERVICES = ("registry", "features", "inference", "monitoring", "audit", "console")
PORTS = 13
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Stack:
    """One data directory, whatever of it runs at the moment."""

    data: Path

    def up(self, *flags: str) -> None:
        """Start it and wait until it is ready; it remembers its ports."""
        base = () if (self.data / "ports.json").exists() else ("--port-base", str(free_base()))
        command = [LETOPIS, "up", "--profile", "demo", "--detach", "--data-dir", str(self.data), *base, *flags]
        started = subprocess.run(command, capture_output=True, text=True)
        if started.returncode:
            raise AssertionError(started.stdout + started.stderr)

    def down(self) -> None:
        subprocess.run([LETOPIS, "down", "--data-dir", str(self.data)], check=True, capture_output=True)

    def part(self, name: str) -> dict[str, Any]:
        """What the supervisor last told of a part."""
        told = json.loads((self.data / "run" / "stack.json").read_bytes())
        found: dict[str, Any] = next(part for part in told["parts"] if part["name"] == name)
        return found

    def kill(self, *names: str) -> None:
        """Kill -9 all at once, as a fault would; returns when the supervisor has them ready again."""
        before = {name: self.part(name)["pid"] for name in names}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)

        def again() -> bool:
            now = [self.part(name) for name in names]
            return all(one["state"] == "ready" and one["pid"] != before[one["name"]] for one in now)

        until(f"{', '.join(names)} to be ready again", again)

    def lose_streams(self) -> None:
        """Every JetStream stream is gone with its directory, while the server is down."""
        store = self.data / "nats" / "jetstream"
        # Taken away just before the kill, so that the server cannot be back before its directory is gone.
        lost = store.rename(store.with_name("lost"))
        self.kill("nats")
        shutil.rmtree(lost)

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """As superuser; `database` without its `letopis_`."""
        return psycopg.connect(self.superuser_url(f"letopis_{database}"), autocommit=True)

    def superuser_url(self, database: str) -> str:
        port = json.loads((self.data / "ports.json").read_bytes())["base"] + 9
        password = (self.data / "secrets" / "postgres_password").read_text("utf-8").strip()
        return f"postgresql://letopis:{password}@127.0.0.1:{port}/{database}"

    def environment(self, service: str) -> dict[str, str]:
        """The settings that the supervisor gives a service."""
        from letopis.local.environment import of_service_process, open_secrets
        from letopis.local.plan import Plan
        from letopis.local.topology import SERVICES as KNOWN

        base = json.loads((self.data / "ports.json").read_bytes())["base"]
        plan = Plan(data=self.data, profile="demo", base_port=base, services=KNOWN, given={}, mlflow=False)
        own = next(one for one in KNOWN if one.name == service)
        return of_service_process(plan, open_secrets(plan), own)

    def run_service(self, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m letopis.<service> ...` with the settings that the service itself has."""
        environment = os.environ | self.environment(service)
        command = [sys.executable, "-m", f"letopis.{service}", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True)


@contextmanager
def running(data: Path, *flags: str) -> Iterator[Stack]:
    """A stack that is ended however the test ends."""
    stack = Stack(data)
    try:
        stack.up(*flags)
        yield stack
    finally:
        stack.down()


def until(what: str, ask: Any, patience: float = PATIENCE) -> Any:
    """The first truthy answer; TimeoutError says what never came."""
    end = time.monotonic() + patience
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.05)
    return answer


def free_base() -> int:
    """The first of a block of ports that nobody listens on; processes that ask side by side begin at different ones."""
    blocks = range(28400, 32000, 20)
    first = os.getpid() % len(blocks)
    for base in (*blocks[first:], *blocks[:first]):
        if all(_free(base + offset) for offset in range(PORTS)):
            return base
    raise AssertionError("no free block of ports between 28400 and 32000")


def _free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0
