"""`python -m letopis.common.contracts check | write [--accept-breaking]`: the released documents beside the code."""

import sys
from pathlib import Path

from letopis.common.contracts.released import differences, generated, keep, services

FOLDER = Path("docs/contracts")


def main(arguments: list[str]) -> int:
    """The exit status: 0 when nothing is left to do."""
    documents = {name: document for service in services() for name, document in generated(service).items()}
    found = list(differences(FOLDER, documents))
    breaks = [f"{one.name}: {broken}" for one in found for broken in one.breaks]
    match arguments:
        case ["check"]:
            accepted = False
        case ["write"]:
            accepted = not breaks
        case ["write", "--accept-breaking"]:
            accepted = True
        case _:
            _tell(__doc__ or "")
            return 2
    for line in breaks:
        _tell(f"BREAKS {line}")
    if accepted:
        keep(FOLDER, documents)
        _tell(f"{len(documents)} documents in {FOLDER}, {len(found)} changed")
        return 0
    if breaks:
        _tell(f"{len(breaks)} changes break others; undo them, or `make contracts BREAKING=1` if nobody has them yet")
    elif found:
        _tell(f"{', '.join(one.name for one in found)}: there are additions; run `make contracts` and commit them")
    return int(bool(found))


def _tell(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 a command line answers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
