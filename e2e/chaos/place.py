"""Where the processes of one run find everything, and what they acknowledge."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.local.postgres.provision import Database

# Ledgers of a run and the service that owns each.
OWNERS = {"registry": "registry", "inference": "inference", "decisions": "inference"}
SERVICES = ("registry", "inference", "audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of the little bank: so much in all (0: until told to stop), some at once, with a pause."""

    commands: int = 0
    decisions: int = 0
    at_once: int = 2
    pause: float = 0.05
    accounts: int = 5
    batch: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One run: fresh databases, streams and folders on servers that runs share."""

    folder: Path
    seed: int
    nats_url: str
    seeds: Mapping[str, Path]
    databases: Mapping[str, Database]
    ports: Mapping[str, int]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    load: Load = field(default_factory=Load)
    # Where the journal lies, and the used share of that disk at which scoring stops.
    journal: Path | None = None
    disk_share: float = 1.1
    # A person's mistake in code, a consumer that is told lies, a clock that is wrong: see `actors`.
    poison: str = ""
    mangled: bool = False
    clock_off: float = 0.0

    def log(self, role: str) -> Path:
        return self.folder / f"{role}.log"

    def notes(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    @property
    def stop(self) -> Path:
        """As long as it is not there, load goes on."""
        return self.folder / "stop"

    @property
    def tiles(self) -> Path:
        return self.folder / "objects" / "log"


class Notebook:
    """Lines that outlive the process: whole or not at all in the kernel's memory before `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **told: Any) -> None:
        os.write(self._file, json.dumps(told).encode() + b"\n")


def read_notes(path: Path) -> list[dict[str, Any]]:
    """What was noted, in order."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().splitlines()]
