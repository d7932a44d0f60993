"""What lies where in a data directory, and to which of the two folders of a backup it goes."""

from collections.abc import Iterator
from pathlib import Path

# Audit comes first: its copy of a ledger MUST NOT be ahead of the ledger itself in the same backup, or a restored
# owner would give positions that audit knows to other facts.
DATABASES = ("audit", "registry", "features", "inference", "monitoring", "console")
KEY_DATABASES = ("subject_keys",)
# The lock store is newer than any backup, and that is the point of it. Streams and caches are filled again.
NEVER = ("state/audit/lock",)
ROOTS = ("objects", "state", "ports.json", "subscribers.json")
KEY_ROOTS = ("secrets", "state/issuer", "state/subject_keys")
JOURNALS = "state/inference/journal"
DESTROYED = "state/subject_keys/destroyed"
# What a restore makes anew, so what stands there goes aside.
REPLACED = ("postgres", "nats", "valkey", "objects", "state", "secrets", "subscribers.json")


def is_key(name: str) -> bool:
    """Whether a file, named from the data directory, signs, opens or lets in."""
    return name.endswith(".key") or any(name == root or name.startswith(f"{root}/") for root in KEY_ROOTS)


def files(data: Path, *, keys: bool) -> Iterator[str]:
    """The names of the files of one side, sorted."""
    roots = (*ROOTS, *(KEY_ROOTS if keys else ()))
    found: set[str] = set()
    for root in roots:
        place = data / root
        inside = place.rglob("*") if place.is_dir() else [place]
        found |= {path.relative_to(data).as_posix() for path in inside if path.is_file() and not path.is_symlink()}
    for name in sorted(found):
        if is_key(name) == keys and not any(name.startswith(f"{one}/") for one in NEVER) and not _passing(name):
            yield name


def _passing(name: str) -> bool:
    """SQLite's companions belong to a copy being made, files with a leading dot to a write that has not ended."""
    last = name.rpartition("/")[2]
    return last.startswith(".") or last.endswith(("-wal", "-shm", "-journal"))
