"""The running stack as others see it: a lock its supervisor holds, and a file that says what runs where."""

import fcntl
import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from letopis.common.errors import LetopisError
from letopis.local.plan import Profile

PATIENCE = 10


class AlreadyRunning(LetopisError):
    """Another supervisor holds this data directory."""

    code = "local.already_running"
    title = "The stack is already running"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """One line of the table."""

    name: str
    version: str
    address: str
    state: str
    pid: int = 0
    restarts: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """What the supervisor last told; `ready` when all that is awaited works."""

    pid: int
    profile: Profile
    base_port: int
    console: str
    ready: bool
    parts: tuple[PartStatus, ...]
    failure: str = ""


class Lock:
    """Held while a supervisor lives; the kernel lets go of it however the supervisor ends. Holds its process id."""

    def __init__(self, data: Path) -> None:
        self._path = data / "run" / "lock"

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = self._path.open("a+b")
        for attempt in range(PATIENCE):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Somebody who only looks holds it for an instant.
                if attempt == PATIENCE - 1:
                    self._file.close()
                    raise AlreadyRunning(f"a stack is already running over {self._path.parent.parent}") from None
                time.sleep(0.02)
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode("ascii"))
        self._file.flush()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._file.close()


def running(data: Path) -> bool:
    """Whether a supervisor holds the data directory."""
    try:
        with (data / "run" / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def publish(data: Path, status: StackStatus) -> None:
    """Write the status so that a reader sees the old one or the new one, never half of it."""
    aside = data / "run" / f"stack.{os.getpid()}"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(status), indent=1))
    aside.rename(data / "run" / "stack.json")


def read_status(data: Path) -> StackStatus | None:
    """What the supervisor last told, None if none ever ran here."""
    try:
        return msgspec.json.decode((data / "run" / "stack.json").read_bytes(), type=StackStatus)
    except FileNotFoundError:
        return None


def stop(data: Path, limit: float = 60) -> bool:
    """Ask the supervisor to end and wait until it has; whether there was one."""
    if not running(data):
        return False
    pid = int((data / "run" / "lock").read_bytes() or b"0")
    if not pid:
        raise LetopisError("the supervisor is only just starting; try again")
    try:
        supervisor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(supervisor, signal.SIGTERM)
        if not select.select([supervisor], [], [], limit)[0]:
            raise LetopisError(f"the supervisor (process {pid}) does not end; see its log")
    finally:
        os.close(supervisor)
    return True
