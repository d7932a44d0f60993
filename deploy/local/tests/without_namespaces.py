"""Runs a command as root of a user namespace in which no further one may be made, as most containers have it."""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000


def main(command):
    entered, enter = os.pipe()
    mapped, go = os.pipe()
    inside = os.getpid()
    helper = os.fork()
    if not helper:
        # Only a process outside may map more than one user.
        os.read(entered, 1)
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{inside}/{kind}").write_text("0 0 65536")
        os.write(go, b"x")
        os._exit(0)
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER):
        sys.exit("cannot enter a user namespace")
    os.write(enter, b"x")
    os.read(mapped, 1)
    os.waitpid(helper, 0)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.execv(command[0], command)


main(sys.argv[1:])
