"""Supervision of forked children: order, restarts with back-off, tasks, ends."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from letopis.local.child import PartError
from letopis.local.forking import fork
from letopis.local.supervisor import BACK_OFF, Part, State, Supervisor

from .conftest import alive, until


@pytest.fixture
def supervise(tmp_path):
    """Supervisors of parts that run a function in a child; all ended at the end."""
    made = []

    def part(name, run=signal.pause, **options):
        log = tmp_path / f"{name}.log"
        return Part(name=name, start=partial(fork, name, log, run), log=log, **options)

    def supervisor(*parts, **options):
        made.append(Supervisor(parts=parts, **options))
        return made[-1]

    yield part, supervisor
    for one in made:
        one.stop()


class TestBringUp:
    def test_starts_a_part_only_when_what_it_needs_works(self, supervise, tmp_path):
        part, supervisor = supervise
        sign = tmp_path / "sign"
        one = supervisor(part("ground", ready=sign.exists), part("upper", after=("ground",)))
        one.step()
        assert [child.state for child in one.children.values()] == [State.STARTING, State.WAITING]
        sign.touch()
        one.bring_up(10)
        assert [child.state for child in one.children.values()] == [State.READY, State.READY]

    def test_waits_for_a_task_to_end_well(self, supervise, tmp_path):
        part, supervisor = supervise
        done = tmp_path / "done"
        one = supervisor(part("task", done.touch, once=True), part("after", after=("task",)))
        one.bring_up(10)
        assert done.exists()
        assert one.children["task"].state is State.DONE

    def test_gives_up_on_a_part_that_fails_three_times(self, supervise):
        part, supervisor = supervise
        one = supervisor(part("broken", lambda: sys.exit("no sense"), ready=lambda: False))
        with pytest.raises(PartError, match="broken ended with 1: no sense"):
            one.bring_up(30)
        assert one.children["broken"].restarts == 3

    def test_names_what_does_not_become_ready_in_time(self, supervise):
        part, supervisor = supervise
        with pytest.raises(PartError, match="mute"):
            supervisor(part("mute", ready=lambda: False)).bring_up(0.2)

    def test_does_not_wait_for_what_is_not_awaited(self, supervise):
        part, supervisor = supervise
        one = supervisor(part("quick"), part("slow", ready=lambda: False, awaited=False))
        one.bring_up(10)
        assert one.children["slow"].state is not State.READY


class TestStep:
    def test_restarts_what_died_and_tells(self, supervise):
        part, supervisor = supervise
        told = []
        one = supervisor(part("mortal"), changed=lambda s: told.append(s.children["mortal"].state))
        one.bring_up(10)
        mortal = one.children["mortal"]
        first = mortal.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: one.step() or (mortal.state is State.READY and mortal.pid != first))
        assert one.children["mortal"].note == "killed by SIGKILL"
        assert State.RESTARTING in told

    def test_waits_longer_before_every_restart_in_a_row(self, supervise):
        part, supervisor = supervise
        one = supervisor(part("broken", lambda: sys.exit(1), awaited=False))
        child = one.children["broken"]
        waits = []
        while child.restarts < 3:
            one.step()
            if child.state is State.RESTARTING and child.restarts > len(waits):
                waits.append(child.again - child.started)
        assert waits == sorted(waits)
        assert [wait >= least for wait, least in zip(waits, BACK_OFF, strict=False)] == [True, True, True]


class TestStop:
    def test_ends_dependents_first_and_what_ignores_it_too(self, supervise, monkeypatch):
        monkeypatch.setattr("letopis.local.supervisor.GRACE", 0.3)
        part, supervisor = supervise

        def stubborn():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()

        one = supervisor(part("ground"), part("upper", stubborn, after=("ground",)))
        one.bring_up(10)
        pids = [child.pid for child in one.children.values()]
        one.stop()
        assert not [pid for pid in pids if alive(pid)]
        assert {child.state for child in one.children.values()} == {State.STOPPED}


class TestChild:
    def test_leaves_an_error_in_its_log_and_none_in_its_parent(self, supervise, tmp_path):
        part, supervisor = supervise

        def fail():
            raise LookupError("what went wrong")

        one = supervisor(part("failing", fail))
        until(lambda: one.step() or one.children["failing"].restarts)
        assert "LookupError: what went wrong" in (tmp_path / "failing.log").read_text()
        assert one.children["failing"].note == "ended with 1"

    def test_keeps_no_file_of_its_parent_open(self, supervise, tmp_path):
        part, supervisor = supervise

        def list_files():
            sys.stdout.write(" ".join(sorted(path.name for path in Path("/proc/self/fd").iterdir())))

        with (tmp_path / "lock").open("w") as lock:
            os.set_inheritable(lock.fileno(), True)
            supervisor(part("clean", list_files, once=True)).bring_up(10)
        # The fourth is the listing itself.
        assert (tmp_path / "clean.log").read_text() == "0 1 2 3"
