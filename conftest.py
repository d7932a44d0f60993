"""Every test may ask for real parts by naming their fixtures; none is judged by how long it takes."""

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["letopis.local.testing", "letopis.local.browsing"]

# A busy machine makes a single example slow; that says nothing about what is promised. The same examples every time
# judge a change by what it does; `make fuzz` looks for others.
settings.register_profile(
    "letopis",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="LETOPIS_FUZZ_CHANCE" not in os.environ,
)
settings.load_profile("letopis")

# Files in e2e/ look at one stack, but for these.
ALONE = ("e2e/test_policy_rooms.py",)


# What tests write is gone with them: memory does not have to wait for a disk, where there is enough of it.
MEMORY = Path("/dev/shm")  # noqa: S108 folders of pytest are its user's alone
ROOM = 12 << 30


def pytest_configure() -> None:
    # Three thousand tests are loaded at once; looking through all of them for cycles again and again costs a tenth.
    gc.set_threshold(50_000, 20, 50)
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir():
        return
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    available = int(told["MemAvailable"].split()[0]) << 10
    if min(available, shutil.disk_usage(MEMORY).free) >= ROOM:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


class Scheduling(LoadScopeScheduling):
    """Which tests go to one worker process: those of a file, and those that share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "stack" if file.count("/") == 1 and file not in ALONE else file


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Scheduling:
    return Scheduling(config, log)
