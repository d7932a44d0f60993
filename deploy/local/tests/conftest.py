"""Stacks of this test run: real supervisors over directories of their own, gone afterwards."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from letopis.local import control
from letopis.local.ports import taken
from letopis.local.topology import OFFSETS


def until(condition, limit=30):
    """Waits for something that another process does."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return value


def free_block(start=20000):
    return next(
        base
        for base in range(start + os.getpid() % 400 * 20, 60000, 20)
        if not any(taken("127.0.0.1", base + offset) for offset in OFFSETS.values())
    )


def children_of(pid):
    """The process ids below a process, from /proc."""
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    below = {number: _parent_and_state(number) for number in numbers}
    direct = [number for number, (parent, state) in below.items() if parent == pid and state != "Z"]
    return [*direct, *(one for child in direct for one in children_of(child))]


def alive(pid):
    return _parent_and_state(pid)[1] not in {"", "Z"}


def _parent_and_state(pid):
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0, ""
    return int(parent), state


class Stack:
    """`letopis up` over one data directory; without services unless they are asked for."""

    def __init__(self, data, launcher=(), environment=None):
        self.data, self.base = data, free_block()
        self._launcher, self._environment = (
            list(launcher),
            {
                **os.environ,
                # The note that tells `letopis` where the last stack is must not be this one's.
                "LETOPIS_CONFIG_DIR": str(data.with_name("config")),
                **(environment or {}),
            },
        )

    def letopis(self, command, *arguments, **options):
        argv = [*self._launcher, sys.executable, "-m", "letopis.local", command, *arguments]
        return subprocess.run(
            [*argv, "--data-dir", str(self.data)],
            capture_output=True,
            text=True,
            env=self._environment,
            cwd="/",
            timeout=100,
            check=False,
            **options,
        )

    def up(self, *flags):
        """Brings it up, or says why it did not."""
        told = self.try_up(*flags)
        assert told.returncode == 0, told.stderr
        return told

    def try_up(self, *flags):
        bare = [] if "--services" in flags else ["--services", "none"]
        return self.letopis("up", "--detach", "--port-base", str(self.base), "--no-mlflow", *bare, *flags)

    def down(self):
        return self.letopis("down")

    def read_secrets(self):
        return {path.name: path.read_bytes() for path in (self.data / "secrets").iterdir()}

    @property
    def supervisor(self):
        return int((self.data / "run" / "lock").read_text())

    def part(self, name):
        told = control.read_status(self.data)
        return next(part for part in told.parts if part.name == name)

    def kill(self):
        if control.running(self.data):
            os.kill(self.supervisor, signal.SIGTERM)
            until(lambda: not control.running(self.data))


@pytest.fixture
def stack(tmp_path):
    """Makes stacks; whatever is left of them is ended."""
    with ExitStack() as ends:

        def make(name="data", folder=tmp_path, **options):
            one = Stack(folder / name, **options)
            ends.callback(one.kill)
            return one

        yield make


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One stack that the tests of a module share: none of them stops it."""
    one = Stack(tmp_path_factory.mktemp("shared") / "data")
    one.up()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A stack that was brought up and down once: its processes while it ran, its secrets, and what `down` said.

    Tests of a module share it; each leaves it ended and whole.
    """
    one = Stack(tmp_path_factory.mktemp("ended") / "data")
    one.up()
    one.pids = [one.supervisor, *children_of(one.supervisor)]
    one.secrets = one.read_secrets()
    one.said = one.down().stdout
    one.left = [pid for pid in one.pids if alive(pid)]
    yield one
    one.kill()


@pytest.fixture
def open_folder():
    """A folder that every user can reach; pytest's own are closed to others."""
    with TemporaryDirectory(prefix="letopis-open-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
