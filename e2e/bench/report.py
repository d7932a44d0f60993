"""What a bench tells: rows beside a peer, a table that names the machine, a JSON file."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from rich.console import Console
from rich.table import Table

OUT = Path(__file__).parents[2] / "build" / "bench"
# Units of which less is better; all others are rates.
COSTS = frozenset({"us", "ms", "s", "MB"})


class Row(TypedDict):
    """One work. `ratio` says how many times better ours is than the peer: below 1 it is worse."""

    work: str
    ours: float
    unit: str
    peer: str
    peer_value: float | None
    ratio: float | None


def row(work: str, ours: float, unit: str, peer: str = "", peer_value: float | None = None) -> Row:
    """A row with its ratio; without a peer the ratio is None."""
    ratio = None
    if peer_value is not None and ours and peer_value:
        ratio = peer_value / ours if unit in COSTS else ours / peer_value
    return Row(
        work=work,
        ours=_short(ours),
        unit=unit,
        peer=peer,
        peer_value=None if peer_value is None else _short(peer_value),
        ratio=None if ratio is None else round(ratio, 2),
    )


def machine() -> str:
    """Processor, cores, memory, kernel, and how busy the machine is besides."""
    model = _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()
    memory = int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 2**20
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {memory:.1f} GB, {platform.system()} {platform.release()}, load {load:.1f}"


def show(name: str, rows: Sequence[Row], on: str, console: Console | None = None) -> None:
    """Print the rows as a table; `on` is the machine as it was when they were measured."""
    table = Table(title=f"{name}: {on}", title_justify="left")
    table.add_column("work")
    table.add_column("ours", justify="right")
    table.add_column("peer", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("the peer is")
    for one in rows:
        peer = "" if one["peer_value"] is None else f"{one['peer_value']:,} {one['unit']}"
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
        table.add_row(one["work"], f"{one['ours']:,} {one['unit']}", peer, ratio, one["peer"])
    (console or Console(width=140)).print(table, highlight=False)


def write(name: str, rows: Sequence[Row], folder: Path = OUT) -> Path:
    """Keep the rows as <folder>/<name>.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(list(rows), indent=2) + "\n", "utf-8")
    return path


def _short(value: float) -> float:
    """Three digits are all that a run can tell."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


def _field(path: Path, name: str) -> str:
    """The value of a `name : value` line, empty if there is none."""
    for line in path.read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
