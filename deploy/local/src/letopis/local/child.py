"""Child processes of the stack: started through the launcher, awaited by a probe, ended by a signal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.local import launcher

PAUSE = 0.02


class PartError(LetopisError):
    """A part of the stack does not start or does not answer."""

    code = "local.part"
    title = "A part of the stack does not work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How a part that is a program of its own is started and ended.

    `death_signal` is what it gets if its parent dies; `user` is the launcher's word for whom it runs as;
    `niceness` makes way for others.
    """

    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    user: str = "same"
    niceness: int = 0


def launched(program: Program, parent: int) -> list[str]:
    """The command line that starts the program through the launcher."""
    head = [sys.executable, "-I", "-S", launcher.__file__, str(parent), str(int(program.death_signal))]
    return [*head, program.user, *program.argv]


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start the program in a process group of its own, so that Ctrl-C reaches its supervisor alone."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            launched(program, os.getpid()),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            env={**os.environ, **program.environment},
            cwd="/",
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], program: Program, limit: float) -> None:
    """Wait for the probe; PartError with the end of the log if the program ends or `limit` seconds pass."""
    deadline = time.monotonic() + limit
    while not ready():
        if process.poll() is not None:
            raise PartError(f"{program.argv[0]} ended with {process.returncode}: {tail(program.log)}")
        if time.monotonic() > deadline:
            raise PartError(f"{program.argv[0]} does not answer after {limit:g} s: {tail(program.log)}")
        time.sleep(PAUSE)


def end(process: subprocess.Popen[bytes], stop_signal: int, limit: float = 10) -> None:
    """Ask the process to stop; kill it after `limit` seconds."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
