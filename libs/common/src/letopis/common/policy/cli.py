"""`letopis policy`: check, test, build and verify what the rooms wrote."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from letopis.common.policy import bundle, lint, mutation, trial
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import Recorded, difference
from letopis.common.policy.sources import Bundle, Room, bundle_of, collect
from letopis.common.policy.sources import gate as gate_module
from letopis.common.serialization import canonical

_out = Console(soft_wrap=True, highlight=False, markup=False)
_err = Console(soft_wrap=True, highlight=False, markup=False, stderr=True)
app = App(name="policy", help="Check, test, build and verify the policies that stand beside the rooms.")
# What the command line `letopis` mounts beside the commands of others.
commands = App(name="letopis")
commands.command(app)

Source = Annotated[list[Path] | None, Parameter(help="Folders of services; the installed packages without it.")]


@app.command
def check(*, source: Source = None) -> int:
    """Lint every room and compile all of them together."""
    rooms = collect(source)
    complaints = lint.lint(rooms)
    for complaint in complaints:
        _err.print(complaint)
    if complaints:
        return 1
    Engine(bundle_of(rooms, tests=True)).close()
    _out.print(f"{_count(rooms)}: no complaint")
    return 0


@app.command(name="test")
def prove(*, source: Source = None) -> int:
    """Run every policy_test.rego, then again with each rule dropped."""
    rooms = collect(source)
    result = trial.run(rooms)
    for line in result.failed:
        _err.print(f"FAILED {line}")
    _out.print(f"{_count(rooms)}: {len(result.passed)} tests passed, {len(result.failed)} failed")
    return 1 if result.failed or not result.passed else 0


@app.command
def mutants(*, source: Source = None, gate: bool = False, report: Path | None = None) -> int:
    """Change the rooms' rules one thing at a time; each change must make a test of the room fail.

    Parameters
    ----------
    gate
        Change the gate that all rooms share instead; the tests of these rooms must notice.
    report
        Where every mutant and the test that noticed it are written, as JSON.
    """
    rooms = collect(source)
    told = list(
        trial.outcomes_of_gate(rooms, mutation.of(gate_module()))
        if gate
        else (
            outcome
            for room in rooms
            if room.name and room.module
            for outcome in trial.outcomes(room, rooms, mutation.of(room.module))
        )
    )
    survivors = [one for one in told if not one.noticed_by]
    for one in survivors:
        _err.print(f"SURVIVES {one.package} {one.mutation.label}")
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        lines = [{"package": one.package, "mutant": one.mutation.label, "noticed_by": one.noticed_by} for one in told]
        report.write_text(json.dumps(lines, indent=1) + "\n", "utf-8")
    _out.print(f"{_count(rooms)}: {len(told)} mutants, {len(survivors)} survive")
    return 1 if survivors or not told else 0


@app.command
def build(*, out: Path, key: Path, source: Source = None) -> int:
    """Write the signed bundle; the key is an Ed25519 or P-256 private key in PEM."""
    rooms = collect(source)
    if complaints := lint.lint(rooms):
        _err.print(f"{len(complaints)} complaints; run `letopis policy check`")
        return 1
    made = bundle_of(rooms)
    Engine(made).close()
    aside = out.with_suffix(out.suffix + ".new")
    aside.write_bytes(bundle.build(made, key.read_bytes()))
    aside.rename(out)
    _out.print(json.dumps(bundle.summary(made)))
    return 0


@app.command
def verify(file: Path, *, key: Path) -> int:
    """Verify a bundle by the public key (PEM) and show what it holds."""
    _out.print(json.dumps(bundle.summary(bundle.verify_bundle(file, key.read_bytes()))))
    return 0


@app.command
def keygen(*, out: Path) -> int:
    """Make a signing key; the public half is written beside it with the ending .pub."""
    private = bundle.new_key()
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    out.with_suffix(".pub").write_bytes(bundle.public_half(private))
    return 0


@app.command(show=False)
def rehearse() -> int:
    """Compare two bundles over recorded decisions, for the registry: JSON lines come in, a difference goes out.

    It runs here because the library cannot be interrupted: whoever started this process ends it when it takes too long.
    """
    lines = sys.stdin.buffer
    told = json.loads(lines.readline())
    before, after = (Engine(Bundle(**told[name])) for name in ("before", "after"))
    found = difference(before, after, (Recorded(**json.loads(line)) for line in lines))
    sys.stdout.buffer.write(canonical({**found, "revision": after.revision, "follows": before.revision}))
    return 0


def _count(rooms: Sequence[Room]) -> str:
    actions = sum(len(room.actions) for room in rooms)
    rules = sum(len(room.rules) for room in rooms)
    return f"{len(rooms)} rooms, {actions} actions, {rules} rules"
