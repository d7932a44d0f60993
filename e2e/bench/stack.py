"""The embedded stack: how long `letopis up` takes to be ready, and what it holds when nothing happens.

Two starts by the command a person types (MLflow included), then one without MLflow.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.bench.memory import by_part
from e2e.bench.report import Row, row

from letopis.local import control

ROOT = Path(__file__).parents[2]
PORTS = "27600"
# What the spine was asked to reach: seconds, then MB.
FIRST, LATER = 15, 8
WITHOUT, WITH = 600, 1100
# Idle is when memory changed by less than a hundredth in CALM seconds; whoever never rests is taken after PATIENCE.
CALM, PATIENCE = 5, 20


def measure() -> list[Row]:
    """Seconds until ready and MB when idle, each beside its target, then the parts of the memory."""
    with TemporaryDirectory(prefix="letopis-bench-") as name:
        data = Path(name)
        # As root, PostgreSQL may run as another user, who must get through.
        data.chmod(0o711)
        with up(data) as first:
            _await_mlflow(data)
            full = _idle(data)
        with up(data) as later:
            pass
        with up(data, "--no-mlflow"):
            lean = _idle(data)
    rows = [
        row("first start, initdb and migrations, to ready", first, "s", "target", FIRST),
        row("later start, to ready", later, "s", "target", LATER),
        row("idle memory without MLflow", lean.total(), "MB", "target", WITHOUT),
        row("idle memory with MLflow", full.total(), "MB", "target", WITH),
    ]
    parts = lean + Counter({"mlflow": full["mlflow"]})
    return rows + [row(f"  of that {part}", held, "MB") for part, held in parts.most_common()]


@contextmanager
def up(data: Path, *options: str) -> Iterator[float]:
    """A stack; the seconds from the command to ready."""
    argv = [sys.executable, "-m", "letopis.local", "up", "--profile", "demo", "--data-dir", str(data)]
    begin = time.monotonic()
    with (data / "bench.log").open("ab") as log:
        process = subprocess.Popen([*argv, "--port-base", PORTS, *options], stdout=log, stderr=log, cwd=ROOT)
    try:
        while not ((told := control.read_status(data)) and told.pid == process.pid and told.ready):
            if process.poll() is not None:
                raise RuntimeError(f"the stack did not start:\n{(data / 'bench.log').read_text('utf-8')[-3000:]}")
            time.sleep(0.02)
        yield time.monotonic() - begin
    finally:
        process.terminate()
        process.wait(60)


def _await_mlflow(data: Path) -> None:
    """Ready does not wait for MLflow, its memory does."""
    deadline = time.monotonic() + 40
    while any(part.state not in {"ready", "done"} for part in _told(data).parts):
        if time.monotonic() > deadline:
            raise TimeoutError("MLflow is not ready after 40 s")
        time.sleep(0.2)


def _idle(data: Path) -> Counter[str]:
    """MB of each part when nothing changes any more."""
    told = _told(data)
    heads = {part.pid: part.name for part in told.parts if part.pid} | {told.pid: "supervisor"}
    totals: list[float] = []
    for _ in range(PATIENCE):
        time.sleep(1)
        parts = by_part(heads)
        totals.append(parts.total())
        last = totals[-CALM:]
        if len(last) == CALM and max(last) - min(last) < 0.01 * max(last):
            break
    return parts


def _told(data: Path) -> control.StackStatus:
    told = control.read_status(data)
    if told is None or not control.running(data):
        raise RuntimeError(f"the stack has ended:\n{(data / 'bench.log').read_text('utf-8')[-3000:]}")
    return told
