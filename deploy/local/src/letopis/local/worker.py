"""The jobs of all services, run by one process of the stack."""

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from letopis.common.process import work_jobs


def employers(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the services that have jobs; one that cannot be imported is left to its own process, which says why."""
    return tuple(name for name in names if _declares(name))


def run_jobs(environment: Mapping[str, str], names: Sequence[str], made: Path) -> None:
    """Within a fresh fork: run the jobs of these services until SIGTERM; `made` is touched when their worker stands."""
    os.environ.update(environment)
    work_jobs("jobs", [_process(name) for name in names], made.touch)


def _process(name: str) -> Any:
    return import_module(f"letopis.{name}.worker").PROCESS


def _declares(name: str) -> bool:
    try:
        return _process(name).declare is not None
    except Exception:  # noqa: BLE001 whatever it is, the service's own log has it
        return False
