"""Fault points end a process that was started for it, and nothing else."""

import signal
import subprocess
import sys

import pytest
from pydantic import ValidationError

from letopis.common import faults
from letopis.common.settings import ServiceSettings

PROGRAM = """
from letopis.common import faults
faults.arm("b=2,c")
for name in "aabab":
    print(name, flush=True)
    faults.point(name)
"""


class TestPoint:
    def test_kills_at_the_passing_that_was_asked_for_and_says_so(self):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL
        assert done.stdout.split() == ["a", "a", "b", "a", "b"]
        assert done.stderr == "fault point b struck\n"

    def test_does_nothing_unless_armed(self):
        faults.arm("")
        faults.point("a")


class TestSettings:
    def test_a_bank_does_not_start_with_faults(self, monkeypatch):
        monkeypatch.setenv("LETOPIS_FAULTS", "relay.published")
        assert ServiceSettings().faults == "relay.published"
        with pytest.raises(ValidationError, match="profile bank refuses it"):
            ServiceSettings(profile="bank")
