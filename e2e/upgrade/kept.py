"""The installations of releases that are kept here, and bringing one of them to life."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.stacks import LETOPIS, SERVICES, Stack, free_base, until

RELEASES = Path(__file__).with_name("releases")
ARCHIVE = "installation.tar.xz"


def kept() -> list[str]:
    """The versions of which an installation is kept, sorted."""
    return sorted(path.parent.name for path in RELEASES.glob(f"*/{ARCHIVE}"))


def unpack(version: str, room: Path) -> dict[str, int]:
    """Lay backup, backup-keys and heads.sqlite into a folder; the heads of the ledgers at the time."""
    with tarfile.open(RELEASES / version / ARCHIVE) as archive:
        archive.extractall(room, filter="data")
    heads: dict[str, int] = json.loads((RELEASES / version / "heads.json").read_text("utf-8"))
    return heads


@contextmanager
def restored(room: Path) -> Iterator[Stack]:
    """The unpacked installation under today's code; whatever runs of it is ended."""
    stack = Stack(room / "data")
    letopis("restore", room / "backup", "--lock", room / "heads.sqlite", "--data-dir", stack.data)
    (stack.data / "ports.json").write_text(json.dumps({"base": free_base()}))
    try:
        stack.up("--no-mlflow")
        yield stack
    finally:
        stack.down()


def letopis(*arguments: object) -> str:
    """What the command said; AssertionError with it if it failed."""
    done = subprocess.run([LETOPIS, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def heads_of(stack: Stack) -> dict[str, int]:
    """The last position of each ledger, as its owner's database has it."""
    found: dict[str, int] = {}
    for service in SERVICES:
        with stack.connect(service) as connection:
            found |= dict(connection.execute("SELECT ledger, head FROM es.ledger").fetchall())
    return found


def sealed(stack: Stack) -> dict[str, int]:
    """Wait until every fact that there is now is under a signed head; the positions that it takes to.

    A stack on a busy machine records denials all the while, so the ledgers need not stand still for it.
    """
    heads = heads_of(stack)
    until(
        "every ledger to be sealed",
        lambda: all(size_of(stack.data, ledger) >= head for ledger, head in heads.items()),
        120,
    )
    return heads


def size_of(folder: Path, ledger: str) -> int:
    """How many facts the published head covers; 0 without one."""
    note = folder / "objects" / "log" / ledger / "checkpoint"
    return int(note.read_text("utf-8").split("\n")[1]) if note.is_file() else 0
