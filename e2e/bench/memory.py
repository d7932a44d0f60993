"""Memory of a family of processes, as their proportional set sizes would add up were they alone on the machine.

The kernel's own sum flatters where others run the same programs: it shares the pages of libraries with strangers.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

FILES = "program files"
PROC = Path("/proc")
# What forks share is anonymous or shared memory: the kernel divides it among the family alone.
_OWN = re.compile(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)
_AREA = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) (\S+) (\d+) +(\S*)")
_NO_FILE = ("/dev/", "/SYSV", "/memfd:")

# Device, inode and offset of a mapped piece of a file.
Piece = tuple[str, str, str]


def by_part(heads: Mapping[int, str]) -> Counter[str]:
    """MB of each part: its first process (by id) and all below that, down to the next head; mapped files once."""
    parents = _parents()
    told: Counter[str] = Counter()
    files: dict[Piece, int] = {}
    for process in parents:
        above = process
        while above and above not in heads:
            above = parents.get(above, 0)
        if not above:
            continue
        try:
            told[heads[above]] += _own(process)
            for piece, held in _pieces(process).items():
                files[piece] = max(files.get(piece, 0), held)
        except (FileNotFoundError, ProcessLookupError):
            # It has ended meanwhile.
            continue
    told[FILES] = sum(files.values())
    return Counter({name: kilobytes / 1024 for name, kilobytes in told.items()})


def _parents() -> dict[int, int]:
    told = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                # The name in parentheses may hold anything, also parentheses.
                told[int(folder.name)] = int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return told


def _own(process: int) -> int:
    """Kilobytes that no file backs, the process's share of them."""
    return sum(map(int, _OWN.findall((PROC / str(process) / "smaps_rollup").read_text("utf-8"))))


def _pieces(process: int) -> dict[Piece, int]:
    """Kilobytes present of each mapped piece of a file, without what the process has changed."""
    told: dict[Piece, int] = {}
    piece: Piece | None = None
    for line in (PROC / str(process) / "smaps").read_text("utf-8").splitlines():
        if area := _AREA.match(line):
            offset, device, inode, path = area.groups()
            piece = None if inode == "0" or path.startswith(_NO_FILE) else (device, inode, offset)
        elif piece and line.startswith("Rss:"):
            told[piece] = told.get(piece, 0) + int(line.split()[1])
        elif piece and line.startswith("Anonymous:"):
            told[piece] -= int(line.split()[1])
    return told
