"""Starts a program that dies with its parent, if need be under a user id that is not root; runs by itself.

usage: python -I -S launcher.py PARENT_PID DEATH_SIGNAL (same | namespace | UID:GID) PROGRAM ARG...

`namespace` enters a user namespace in which the process is uid 1000; outside it stays who it was, so folders
under a 0700 home stay reachable and nothing on the machine changes. Entering one needs a process with one
thread, hence a program of its own. The signal at the parent's death is asked for last: entering a namespace
or changing the user takes it away.
"""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
INSIDE = 1000


def enter_namespace() -> None:
    """Become uid 1000 of a new user namespace; OSError where the machine forbids namespaces."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        number = ctypes.get_errno()
        raise OSError(number, f"user namespaces are not available: {os.strerror(number)}")
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{INSIDE} {uid} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{INSIDE} {gid} 1", "ascii")


def become(user: str) -> None:
    """Give up root for good, for `UID:GID`."""
    uid, gid = (int(number) for number in user.split(":"))
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def die_with_parent(parent: int, signal: int) -> None:
    """Ask the kernel for `signal` when the parent ends; end at once if it has ended already."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel knows no parent-death signal")
    if os.getppid() != parent:
        os._exit(0)


def main(argv: list[str]) -> None:
    parent, signal, user, *command = argv
    try:
        if user == "namespace":
            enter_namespace()
        elif user != "same":
            become(user)
        die_with_parent(int(parent), int(signal))
    except OSError as error:
        sys.exit(f"letopis: cannot start {command[0]}: {error.strerror}")
    os.execv(command[0], command)  # noqa: S606 - a list, without a shell.


if __name__ == "__main__":
    main(sys.argv[1:])
