"""As whom a program that refuses root runs: the caller, a user namespace, or another user that exists."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.local import launcher

FALLBACK_USERS = ("letopis", "postgres", "nobody")


class RootRefusedError(LetopisError):
    """We are root, namespaces are forbidden, and no other user can reach the data directory."""

    code = "local.root"
    title = "PostgreSQL does not run as root here"


def namespaces_allowed() -> bool:
    """Whether this machine lets us enter a user namespace (containers often do not)."""
    code = f"import runpy; runpy.run_path({launcher.__file__!r})['enter_namespace']()"
    probe = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=False)
    return probe.returncode == 0


def unprivileged(folder: Path, *, hand: bool = True) -> str:
    """The launcher's word for how to run a program over `folder`; another user gets the folder.

    An ordinary user runs it as is. Root enters a namespace; where that is forbidden an unprivileged user
    takes over, if it can reach the folder and the programs; else RootRefusedError.
    """
    if os.geteuid() != 0:
        return "same"
    if namespaces_allowed():
        return "namespace"
    for name in FALLBACK_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        word = f"{user.pw_uid}:{user.pw_gid}"
        if reaches(word, folder):
            if hand:
                hand_over(folder, user.pw_uid, user.pw_gid)
            return word
    raise RootRefusedError(
        f"we are root, user namespaces are forbidden here, and none of {', '.join(FALLBACK_USERS)} can reach "
        f"{folder} and {sys.prefix}. Start as an ordinary user, or use a data directory and an installation "
        "outside of root's home."
    )


def reaches(word: str, folder: Path) -> bool:
    """Whether a user can enter the folder's parents and our installation."""
    code = (
        "import os, runpy, sys; runpy.run_path(sys.argv[1])['become'](sys.argv[2]); "
        "sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[3:]))"
    )
    arguments = [launcher.__file__, word, str(folder.parent), sys.prefix]
    probe = subprocess.run([sys.executable, "-I", "-S", "-c", code, *arguments], capture_output=True, check=False)
    return probe.returncode == 0


def hand_over(folder: Path, uid: int, gid: int) -> None:
    """Make the user the owner of a folder and all in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)
