"""Parts as supervised children of one process: started in order, awaited, restarted with back-off, ended."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from letopis.local.child import PartError, tail

# Seconds before the first, second, ... restart in a row; a part that ran STEADY seconds starts over.
BACK_OFF = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY = 60.0
GRACE = 8.0


class State(StrEnum):
    """What a part is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A child to run: how to start it (returns its process id), how to see that it works, what must work before.

    `once` is a task that ends by itself; only an `awaited` part keeps `up` from being ready.
    """

    name: str
    start: Callable[[], int]
    ready: Callable[[], bool] = lambda: True
    after: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    once: bool = False
    awaited: bool = True
    version: str = ""
    address: str = ""
    log: Path = Path(os.devnull)


@dataclass(slots=True, kw_only=True)
class Child:
    """What the supervisor knows of one part."""

    part: Part
    state: State = State.WAITING
    pid: int = 0
    started: float = 0.0
    again: float = 0.0
    restarts: int = 0
    in_a_row: int = 0
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Runs parts until told to stop; MUST be the only user of this process's children and signals."""

    parts: Iterable[Part]
    changed: Callable[["Supervisor"], None] = lambda _: None
    children: dict[str, Child] = field(init=False)
    stopping: bool = False
    _wakeup: int = -1

    def __post_init__(self) -> None:
        self.children = {part.name: Child(part=part) for part in self.parts}

    @property
    def ready(self) -> bool:
        return all(c.state in {State.READY, State.DONE} for c in self.children.values() if c.part.awaited)

    def listen(self) -> None:
        """Turn signals into wake-ups: Ctrl-C and SIGTERM ask to stop, SIGCHLD ends a wait."""
        self._wakeup, writing = os.pipe()
        os.set_blocking(writing, False)
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def bring_up(self, limit: float) -> None:
        """Start everything and wait until all that is awaited works; PartError names what does not."""
        deadline = time.monotonic() + limit
        while not self.stopping and not self.ready:
            self.step()
            self.give_up_on_failed_tasks()
            if time.monotonic() > deadline:
                late = [c.part for c in self.children.values() if c.part.awaited and c.state not in _WORKING]
                names = ", ".join(part.name for part in late)
                raise PartError(f"not ready after {limit:g} s: {names}; {late[0].name}: {tail(late[0].log)}")
            self._pause(0.02)

    def run(self) -> None:
        """Keep everything running until asked to stop."""
        while not self.stopping:
            self.step()
            busy = any(c.state in {State.STARTING, State.RESTARTING, State.WAITING} for c in self.children.values())
            self._pause(0.1 if busy else 2.0)

    def step(self) -> None:
        """One round: notice what ended, start what may start, see what works now."""
        before = [(c.state, c.pid, c.note) for c in self.children.values()]
        for child in self.children.values():
            self._notice_end(child)
            if child.state in {State.WAITING, State.RESTARTING}:
                self._start_if_due(child)
            if child.state is State.STARTING and not child.part.once and child.part.ready():
                child.state = State.READY
        if before != [(c.state, c.pid, c.note) for c in self.children.values()]:
            self.changed(self)

    def give_up_on_failed_tasks(self) -> None:
        """A task that failed thrice will not succeed by waiting."""
        for child in self.children.values():
            if child.part.awaited and child.in_a_row >= 3:
                raise PartError(f"{child.part.name} {child.note}: {tail(child.part.log)}")

    def stop(self) -> None:
        """End everything, dependents before what they depend on; nothing is left behind."""
        self.stopping = True
        left = [child for child in self.children.values() if child.pid]
        while left:
            needed = {name for child in left for name in child.part.after}
            wave = [child for child in left if child.part.name not in needed] or left
            self._end(wave)
            left = [child for child in left if child not in wave]
        self.changed(self)

    def _start_if_due(self, child: Child) -> None:
        if time.monotonic() < child.again:
            return
        if all(self.children[name].state in _WORKING for name in child.part.after if name in self.children):
            child.pid, child.started = child.part.start(), time.monotonic()
            child.state = State.STARTING

    def _notice_end(self, child: Child) -> None:
        if not child.pid:
            return
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if not pid:
            return
        code = os.waitstatus_to_exitcode(status)
        _sweep(child.pid)
        child.pid = 0
        if child.part.once and code == 0:
            child.state = State.DONE
            return
        child.in_a_row = 0 if time.monotonic() - child.started > STEADY else child.in_a_row + 1
        child.again = time.monotonic() + BACK_OFF[min(max(child.in_a_row, 1), len(BACK_OFF)) - 1]
        child.restarts += 1
        child.state = State.RESTARTING
        child.note = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"

    def _end(self, wave: list[Child]) -> None:
        for child in wave:
            _signal(child.pid, child.part.stop_signal)
        deadline = time.monotonic() + GRACE
        for child in wave:
            while not _reaped(child.pid):
                if time.monotonic() > deadline:
                    _signal(child.pid, signal.SIGKILL)
                    os.waitpid(child.pid, 0)
                    break
                self._pause(0.02)
            _sweep(child.pid)
            child.pid, child.state = 0, State.STOPPED

    def _ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _pause(self, seconds: float) -> None:
        if self._wakeup < 0:
            time.sleep(seconds)
            return
        select.select([self._wakeup], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._wakeup, 512)


_WORKING = {State.READY, State.DONE}


def _reaped(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _sweep(group: int) -> None:
    """End what a part may have left in its process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
