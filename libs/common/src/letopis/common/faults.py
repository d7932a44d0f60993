"""Fault points: named places in code where a chaos test ends this process; anywhere else they do nothing.

A process started with LETOPIS_FAULTS="relay.published=3" kills itself with SIGKILL as it passes that point for the
third time, between two instructions of ours as a power cut would. Nobody else sets it; profile `bank` refuses it.
"""

import os
import signal

_armed: dict[str, int] = {}


def point(name: str) -> None:
    """A place where this process may die; unarmed it costs the call alone."""
    if _armed:
        _pass(name)


def arm(told: str) -> None:
    """Arm points as `name=passing` with commas between; nothing told disarms all."""
    _armed.clear()
    for one in filter(None, told.split(",")):
        name, _, passing = one.partition("=")
        _armed[name] = int(passing or 1)


def _pass(name: str) -> None:
    left = _armed.get(name)
    if left is None:
        return
    if left > 1:
        _armed[name] = left - 1
        return
    # Straight to the log: whoever set the trap looks there for the proof that it sprang.
    os.write(2, f"fault point {name} struck\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
