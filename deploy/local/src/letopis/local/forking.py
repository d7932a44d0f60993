"""Children forked from a warmed parent: each in a process group of its own, dying with its parent.

The parent MUST have no thread, connection or Go library when it forks.
"""

import ctypes
import gc
import importlib
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from letopis.local import launcher
from letopis.local.child import PartError, Program

# What children share besides the services' own modules. Whatever one of them imports after the fork it has for
# itself, with every page that importing touches (15 MB for a handful of modules). Heavy libraries (xgboost, duckdb,
# pandas) stay out: they come on first use.
WARM = (
    "_strptime",
    "anyio._backends._asyncio",
    "httpcore._backends.anyio",
    "httpcore._backends.auto",
    "letopis.common.http.serving",
    "letopis.common.jobs",
    "letopis.common.process",
    "nats",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.lifespan.off",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
PR_SET_NAME = 15
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)


def warm_up(packages: Iterable[str] = ()) -> None:
    """Import once what all children need, and the workers of these packages; keep the collector off shared pages.

    A package that cannot be imported is left to its own child, which says why in its own log.
    """
    # NumPy's linear algebra would start threads when it is loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    gc.disable()
    for name in WARM:
        importlib.import_module(name)
    for package in packages:
        try:
            importlib.import_module(f"{package}.worker")
        except Exception as error:  # noqa: BLE001 - the parent must outlive a broken service.
            sys.stderr.write(f"letopis: {package}.worker cannot be imported: {error!r}\n")
    gc.enable()
    gc.collect()
    gc.freeze()
    del os.environ["OPENBLAS_NUM_THREADS"]
    if (threads := len(list(Path("/proc/self/task").iterdir()))) > 1:
        raise PartError(f"an import started {threads - 1} threads; nothing can be forked after that")


def fork(name: str, log: Path, run: Callable[[], None]) -> int:
    """A child that runs `run` and ends; its output goes to `log`. The answer is its process id."""
    parent = os.getpid()
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _settle(name, log, parent)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - nothing may escape into the parent's code.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def execute(program: Program) -> None:
    """Become a program, from within a fresh fork."""
    os.environ.update(program.environment)
    os.nice(program.niceness)
    launcher.main([str(os.getppid()), str(int(program.death_signal)), program.user, *program.argv])


def become(environment: Mapping[str, str], package: str, *arguments: str) -> None:
    """Run a package as `python -m` would, from within a fresh fork."""
    import runpy

    os.environ.update(environment)
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def _settle(name: str, log: Path, parent: int) -> None:
    """Leave the parent's terminal, handlers and files behind."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with Path(os.devnull).open("rb") as nothing, log.open("ab") as output:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    # By the line, whatever the parent's were: a log is read while it grows.
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    # The supervisor's lock is among them: a child that kept it would keep the stack locked.
    os.closerange(3, 1024)
    os.chdir("/")
    random.seed()
    ctypes.CDLL(None).prctl(PR_SET_NAME, f"letopis-{name}"[:15].encode("ascii"), 0, 0, 0)
    launcher.die_with_parent(parent, signal.SIGKILL)
