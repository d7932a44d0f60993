"""`python -m e2e.chaos [--runs 20] [--scenario NAME]... [--resume] [--list]`: play, print, write build/chaos.json."""

import argparse
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from letopis.local.forking import warm_up

if TYPE_CHECKING:
    from e2e.chaos.scenario import Run, Scenario
    from e2e.chaos.yard import Yard

REPORT = Path("build/chaos.json")
ROW: dict[str, Any] = {
    "runs": 0,
    "strikes": 0,
    "lost": 0,
    "doubled": 0,
    "gaps": 0,
    "failed": 0,
    "facts": 0,
    "acknowledged": 0,
    "seconds": 0.0,
}


def scenarios() -> "list[Scenario]":
    """All there are, in the order in which they are played."""
    from e2e.chaos import buses, databases, disks, killing, stop_table, times

    return [one for room in (killing, databases, buses, disks, times, stop_table) for one in room.SCENARIOS]


def main(arguments: list[str] | None = None) -> int:
    """0 if every run of every scenario struck and nothing was lost, doubled or missing."""
    # Everything that is forked later shares what is imported here; NumPy's threads would forbid forking.
    warm_up()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    known = {one.name: one for one in scenarios()}
    parser = argparse.ArgumentParser(prog="python -m e2e.chaos")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--scenario", action="append", choices=sorted(known), default=[])
    parser.add_argument("--resume", action="store_true", help="only the runs that the report does not have yet")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.list:
        for one in known.values():
            print(f"{one.name:26} {one.proves}")
        return 0
    rows: dict[str, dict[str, Any]] = {}
    if asked.report.exists():
        rows = {row["scenario"]: row for row in json.loads(asked.report.read_bytes())}
    return play([known[name] for name in asked.scenario] or list(known.values()), rows, asked)


def play(chosen: "list[Scenario]", rows: dict[str, dict[str, Any]], asked: argparse.Namespace) -> int:
    """Each scenario as often as asked; the report is written after every run, so that nothing is done twice."""
    from e2e.chaos.yard import Yard

    bad = 0
    # Asked to end, it still ends its servers and takes its folder away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(mkdtemp(prefix="letopis-chaos-", dir=_memory()))
    yard = Yard(folder)
    try:
        yard.open()
        for one in chosen:
            row = rows.get(one.name) if asked.resume else None
            row = rows[one.name] = row or {"scenario": one.name, **ROW, "points": {}}
            while row["runs"] < asked.runs and "not_run" not in row:
                good = run(one, yard, row)
                bad += not good
                asked.report.parent.mkdir(parents=True, exist_ok=True)
                asked.report.write_text(json.dumps([*rows.values()], indent=1) + "\n", "utf-8")
            show(row)
    finally:
        yard.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"written to {asked.report}")
    return 1 if bad else 0


def run(one: "Scenario", yard: "Yard", row: dict[str, Any]) -> bool:
    """One run; whether it struck and everything was right."""
    from e2e.chaos.scenario import CannotRunError

    began = time.monotonic()
    try:
        done = struck(one, yard, row["runs"] + 1)
    except CannotRunError as cannot:
        row["not_run"] = str(cannot)
        return True
    except Exception:  # noqa: BLE001 - the other runs still have something to tell.
        row["runs"] += 1
        row["failed"] += 1
        traceback.print_exc()
        keep(yard, one.name, row["runs"])
        # A scenario that broke off may have left a server down, or full of what nobody expects.
        yard.mend()
        return False
    reading = done.reading
    row["runs"] += 1
    row["strikes"] += done.strikes.total()
    row["points"] = dict(Counter(row["points"]) + done.strikes)
    for name in ("lost", "doubled", "gaps", "facts", "acknowledged"):
        row[name] += getattr(reading, name)
    row["seconds"] = round(row["seconds"] + time.monotonic() - began, 1)
    if not reading.good:
        row["failed"] += 1
        print(f"{one.name} run {row['runs']}: {reading}", file=sys.stderr)
        keep(yard, one.name, row["runs"])
    return reading.good


def struck(one: "Scenario", yard: "Yard", number: int) -> "Run":
    """A run in which everything struck that has to; else NotStruckError."""
    from e2e.chaos.scenario import NotStruckError

    done = one.play(yard, number)
    if missed := [name for name in one.must if not done.strikes[name]]:
        raise NotStruckError(f"{', '.join(missed)} did not strike")
    return done


def keep(yard: "Yard", name: str, number: int) -> None:
    """The logs of a run that failed."""
    target = Path("build/chaos") / f"{name.replace(' ', '-')}-{number}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for one in (*yard.folder.glob("run/*.log"), *yard.folder.glob("run/*.jsonl"), *yard.folder.glob("*.log")):
        shutil.copy(one, target)
    print(f"its logs are in {target}", file=sys.stderr)


def show(row: dict[str, Any]) -> None:
    if "not_run" in row:
        print(f"{row['scenario']:26} NOT RUN: {row['not_run']}", flush=True)
        return
    each = row["seconds"] / max(row["runs"] - row["failed"], 1)
    state = f"{row['failed']} FAILED" if row["failed"] else "ok"
    print(
        f"{row['scenario']:26} {row['runs']:3} runs {row['strikes']:6} strikes  lost {row['lost']} doubled"
        f" {row['doubled']} gaps {row['gaps']}  {row['facts']:7} facts {each:5.1f} s a run  {state}",
        flush=True,
    )


def _memory() -> str | None:
    """A folder in memory, where syncing costs nothing: processes are killed here, not machines."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 1 << 30
    return str(shared) if roomy else None


if __name__ == "__main__":
    sys.exit(main())
