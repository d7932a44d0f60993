"""`letopis backup`, `letopis restore` and `letopis refill`."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from letopis.common.errors import LetopisError
from letopis.local import control
from letopis.local.plan import remembered_base

DataDirectory = Annotated[Path, Parameter(env_var="LETOPIS_DATA_DIR", help="Where everything is kept.")]
DEFAULT_DATA = Path(".letopis")


def backup(target: Path, /, *, keys: Path | None = None, data_dir: DataDirectory = DEFAULT_DATA) -> int:
    """Back the running installation up: data into one new folder, keys into another.

    Parameters
    ----------
    target
        The folder for databases, tiles, objects and journals. Alone it signs nothing and opens nothing sealed.
    keys
        The folder for secrets, keys and the key store; `TARGET-keys` if it is left out. Keep it apart.
    """
    data = data_dir.absolute()
    if not control.running(data) or remembered_base(data) is None:
        return _say(f"no stack runs over {data}; `letopis up` starts one", 3)
    from letopis.local.backup.restoring import plan_of
    from letopis.local.backup.taking import take

    apart = keys or target.with_name(f"{target.name}-keys")
    try:
        told, secret = take(plan_of(data), target.absolute(), apart.absolute())
    except LetopisError as error:
        return _say(f"{error.title}: {error.detail}", 1)
    for name, one in told.databases.items():
        _say(f"{name}: {', '.join(f'{ledger} up to {head}' for ledger, head in one.heads.items())}")
    size = sum(one.size for one in told.files.values())
    _say(f"{len(told.files)} files, {size:,} bytes in {target}; {len(secret.files)} with keys in {apart}")
    return 0


def restore(
    source: Path,
    /,
    *,
    keys: Path | None = None,
    lock: Path | None = None,
    replace: bool = False,
    data_dir: DataDirectory = DEFAULT_DATA,
) -> int:
    """Restore a backup; the stack must not run. Start it afterwards with `letopis up`.

    Parameters
    ----------
    source
        The folder that `letopis backup` made.
    keys
        The folder with the keys; `SOURCE-keys` if it is left out.
    lock
        A lock store (heads.sqlite) kept elsewhere. Without any, logs stand still until two people say how to go on.
    replace
        Put what stands in the data directory aside; its lock store stays in force.
    """
    data = data_dir.absolute()
    from letopis.local.backup.restoring import restore as restored

    apart = keys or source.with_name(f"{source.name}-keys")
    try:
        told = restored(source.absolute(), apart.absolute(), data, lock=lock, replace=replace)
    except LetopisError as error:
        return _say(f"{error.title}: {error.detail}", 1)
    _say(f"restored what was taken at {told.taken_at} into {data}; `letopis up` migrates and starts it")
    return 0


def refill(*, data_dir: DataDirectory = DEFAULT_DATA) -> int:
    """Give ledgers that are shorter than audit's copy the missing facts back, exactly; the stack must not run."""
    data = data_dir.absolute()
    from letopis.local.backup.refilling import refill as refilled

    try:
        found = refilled(data)
    except LetopisError as error:
        return _say(f"{error.title}: {error.detail}", 1)
    for ledger, (first, last) in found.items():
        _say(f"{ledger}: {first} to {last} given back from audit's copy")
    return _say(
        "no ledger is shorter than its copy" if not found else "start the stack; two people let sealing go on", 0
    )


def _say(line: str, code: int = 0) -> int:
    (sys.stderr if code else sys.stdout).write(f"{line}\n")
    return code
