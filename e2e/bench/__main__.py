"""`python -m e2e.bench [NAME]...`: measure all or those named, print, and write build/bench/NAME.json."""

import sys
import traceback
from collections.abc import Callable, Sequence

from e2e.bench import chronicle, core, policy, report, scoring, stack

BENCHES: dict[str, Callable[[], list[report.Row]]] = {
    "core": core.measure,
    "stack": stack.measure,
    "scoring": scoring.measure,
    "audit": chronicle.measure,
    "policy": policy.measure,
}


def main(names: Sequence[str]) -> int:
    """Run the named benches, or all; one that fails does not keep the others from telling theirs."""
    if unknown := sorted(set(names) - set(BENCHES)):
        print(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or BENCHES:
        on = report.machine()
        try:
            rows = BENCHES[name]()
        except Exception:  # noqa: BLE001 - the others still have something to tell.
            traceback.print_exc()
            failed = 1
            continue
        report.show(name, rows, on)
        print(f"written to {report.write(name, rows)}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
