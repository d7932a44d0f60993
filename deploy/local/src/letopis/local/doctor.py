"""What would keep the stack from working on this machine, found before it is started."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal

from letopis.common.errors import LetopisError
from letopis.local import control
from letopis.local.nats import server as nats
from letopis.local.opa import server as opa
from letopis.local.plan import LOOPBACK, remembered_base
from letopis.local.ports import taken
from letopis.local.postgres import server as postgres
from letopis.local.topology import BASE_PORT, OFFSETS
from letopis.local.unroot import namespaces_allowed, unprivileged
from letopis.local.valkey import server as valkey

GIB = 1 << 30
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "vboxsf", "drvfs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; `remedy` says what to do unless all is well."""

    subject: str
    verdict: Literal["ok", "warning", "bad"]
    found: str
    remedy: str = ""


def examine(data: Path, base_port: int | None = None, *, index: bool = True) -> list[Finding]:
    """Everything worth knowing, the machine first; `index` asks the package index, the only thing off loopback."""
    existing = next(folder for folder in (data, *data.parents) if folder.exists())
    findings = [
        machine(),
        environment(),
        *programs(),
        root(data),
        ports(data, base_port),
        disk(existing),
        memory(),
        file_system(existing),
    ]
    return [*findings, package_index()] if index else findings


def machine() -> Finding:
    found = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    supported = platform.system() == "Linux" and platform.machine() in {"x86_64", "aarch64"}
    if supported and (3, 11) <= sys.version_info < (3, 14):
        return Finding(subject="machine", verdict="ok", found=found)
    remedy = "use Linux on x86_64 with Python 3.11 to 3.13"
    return Finding(subject="machine", verdict="bad", found=found, remedy=remedy)


def environment() -> Finding:
    """A virtual environment with compiled bytecode: without it every start takes three times as long."""
    if sys.prefix == sys.base_prefix:
        return Finding(
            subject="environment", verdict="warning", found=f"{sys.prefix} is no venv", remedy="run `make demo` once"
        )
    if os.environ.get("PYTHONDONTWRITEBYTECODE") and not list(Path(control.__file__).parent.glob("__pycache__/*.pyc")):
        remedy = "unset PYTHONDONTWRITEBYTECODE, or starts take three times as long"
        return Finding(subject="environment", verdict="warning", found="no compiled bytecode", remedy=remedy)
    return Finding(subject="environment", verdict="ok", found=sys.prefix)


def programs() -> list[Finding]:
    """The parts' programs; a missing one can be replaced by a URL."""
    wanted: dict[str, Callable[[], str]] = {
        "postgres": lambda: postgres.binary("postgres"),
        "nats": nats.binary,
        "valkey": valkey.binary,
        "opa": _policy_engine,
    }
    findings = []
    for name, find in wanted.items():
        try:
            program = find()
            Path(program).stat()
            findings.append(Finding(subject=name, verdict="ok", found=program))
        except (LetopisError, OSError) as error:
            findings.append(Finding(subject=name, verdict="bad", found="missing", remedy=str(error)))
    return findings


def _policy_engine() -> str:
    library = find_spec("opa_bindings")
    found = opa.executable() or (library.origin if library else None)
    if found is None:
        raise LetopisError("install requirements/opa.txt, put `opa` on PATH, or set LETOPIS_OPA_URL")
    return found


def root(data: Path) -> Finding:
    """PostgreSQL refuses root: a user namespace or another user is needed."""
    if os.geteuid() != 0:
        return Finding(subject="user", verdict="ok", found=f"user id {os.geteuid()}, not root")
    if namespaces_allowed():
        return Finding(subject="user", verdict="ok", found="root, user namespaces are allowed")
    try:
        word = unprivileged(data / "postgres", hand=False)
    except LetopisError as error:
        return Finding(subject="user", verdict="bad", found="root without namespaces", remedy=error.detail)
    found = f"root without namespaces; PostgreSQL runs as {word}"
    return Finding(subject="user", verdict="ok", found=found)


def ports(data: Path, base_port: int | None) -> Finding:
    base = base_port or remembered_base(data) or BASE_PORT
    block = f"{base} to {base + max(OFFSETS.values())}"
    if control.running(data):
        return Finding(subject="ports", verdict="ok", found=f"{block}: used by the stack that runs here")
    if busy := [str(base + offset) for offset in OFFSETS.values() if taken(LOOPBACK, base + offset)]:
        verdict: Literal["warning", "bad"] = "bad" if base_port or remembered_base(data) else "warning"
        remedy = "stop what listens there, or `letopis up --port-base N`"
        return Finding(subject="ports", verdict=verdict, found=f"taken: {', '.join(busy)}", remedy=remedy)
    return Finding(subject="ports", verdict="ok", found=f"{block} are free")


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / GIB:.1f} GiB free under {folder}"
    if free < GIB:
        return Finding(subject="disk", verdict="bad", found=found, remedy="at least 1 GiB is needed, 5 are comfortable")
    return Finding(subject="disk", verdict="ok" if free >= 5 * GIB else "warning", found=found)


def memory() -> Finding:
    lines = Path("/proc/meminfo").read_text("ascii").splitlines() if Path("/proc/meminfo").exists() else []
    kib = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)
    if kib is None:
        return Finding(subject="memory", verdict="warning", found="unknown")
    found, remedy = f"{kib / (1 << 20):.1f} GiB available", "1.5 GiB are needed; `--no-mlflow` saves 250 MB"
    if kib < 1 << 20:
        return Finding(subject="memory", verdict="bad", found=found, remedy=remedy)
    if kib < 3 << 19:
        return Finding(subject="memory", verdict="warning", found=found, remedy=remedy)
    return Finding(subject="memory", verdict="ok", found=found)


def file_system(folder: Path) -> Finding:
    """Locks, links, modes and honest syncs: what durability and secrets rest on."""
    kind = _file_system_of(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        return Finding(
            subject="file system", verdict="bad", found=f"{folder} is on {kind}", remedy="use a local disk: --data-dir"
        )
    try:
        with TemporaryDirectory(dir=folder, prefix=".doctor-") as name:
            took = _try_out(Path(name))
    except OSError as error:
        return Finding(
            subject="file system", verdict="bad", found=f"{folder}: {error.strerror}", remedy="choose --data-dir"
        )
    found = f"{kind or 'unknown kind'}, a sync takes {took * 1000:.1f} ms"
    if took > 0.02:
        remedy = "every recorded fact waits for a sync: expect few commands a second"
        return Finding(subject="file system", verdict="warning", found=found, remedy=remedy)
    return Finding(subject="file system", verdict="ok", found=found)


def _try_out(folder: Path) -> float:
    """Seconds of a sync; OSError if the folder lacks something."""
    file = folder / "probe"
    times = []
    with file.open("wb", buffering=0) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.chmod(0o600)
        (folder / "link").hardlink_to(file)
        for _ in range(9):
            handle.write(b"x" * 512)
            begun = time.perf_counter()
            os.fdatasync(handle.fileno())
            times.append(time.perf_counter() - begun)
    if file.stat().st_mode & 0o777 != 0o600:
        raise OSError(0, "the file system does not keep file modes, so secrets could not be protected")
    return median(times)


def _file_system_of(folder: Path) -> str:
    """The type of the mount that holds a folder, empty if the machine does not say."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    holding = [(where, kind) for _, where, kind, *_ in mounts if folder.resolve().is_relative_to(where)]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]


def package_index() -> Finding:
    """Whether pip, as it is configured, reaches an index; only a new installation needs one."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "0", "--timeout", "5"]
    try:
        asked = subprocess.run([*command, "index", "versions", "uv"], capture_output=True, check=False, timeout=20)
        reached = asked.returncode == 0
    except subprocess.TimeoutExpired:
        reached = False
    if reached:
        return Finding(subject="package index", verdict="ok", found="pip reaches it")
    remedy = "only a new installation needs it; configure pip for your proxy, or `make demo WHEELHOUSE=dir`"
    return Finding(subject="package index", verdict="warning", found="pip does not reach one", remedy=remedy)
