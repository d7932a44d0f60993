"""The verifier as a program: `python verify.pyz PACK.zip`."""

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from . import note, pack, witness
from .fault import Bad


def main(remake: pack.Report, arguments: Sequence[str] | None = None) -> int:
    """Verify a pack and print what was checked; 0 if all of it holds, 1 if not, 2 if it cannot be read."""
    parser = argparse.ArgumentParser(prog="verify.pyz", description="Verify an evidence pack, offline.")
    parser.add_argument("pack", type=Path, help="the pack's zip file")
    parser.add_argument("--key", action="append", default=[], help="a verifier key known from elsewhere")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, help="a checkpoint kept from before, file"
    )
    parser.add_argument("--policy", type=Path, help="who must have witnessed the logs (C2SP tlog-policy), file")
    given = parser.parse_args(arguments)
    # Millions of small objects and no cycles: looking for some would cost a third of the time.
    gc.disable()
    try:
        trusted = note.keys_of("\n".join(given.key)) if given.key else None
        kept = [path.read_bytes() for path in given.checkpoint]
        policy = witness.policy_of(given.policy.read_text("utf-8")) if given.policy else None
        verdict = pack.verify(given.pack.read_bytes(), remake, trusted, kept, policy)
    except (Bad, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 a program's answer
        return 2
    print(told(verdict, own_keys=trusted is None))  # noqa: T201 a program's answer
    return 0 if verdict.good else 1


def told(verdict: pack.Verdict, *, own_keys: bool) -> str:
    """The verdict in lines for a reader."""
    lines = [f"ok      {check}" for check in verdict.checks]
    lines += [f"WRONG   {fault}" for fault in verdict.faults]
    for name, key in sorted(verdict.keys.items()):
        lines.append(f"key     {name} {key.hex()}")
    if own_keys and verdict.good:
        lines.append("note    the keys are the pack's own; compare them with those published, or give --key")
    lines.append("VERIFIED" if verdict.good else f"FAILED at {verdict.faults[0]}")
    return "\n".join(lines)
