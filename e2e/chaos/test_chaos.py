"""The short version of `make chaos`: every part dies once, PostgreSQL dies in COMMIT, and nothing is lost."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.chaos.killing import POINTS

ROOT = Path(__file__).parents[2]
POINT = re.compile(r'faults\.point\("([^"]+)"\)')
# Points at which another place kills: a scenario of its own, or a test beside the code.
ELSEWHERE = {
    "reaction.released": "e2e/chaos/buses.py",
    "view.compared": "libs/common/tests/projecting/test_generations.py",
    "replay.published": "libs/common/tests/following/test_replay.py",
    "replay.moved": "libs/common/tests/following/test_replay.py",
}
SHORT = ("kill one of each", "postgres before commit")

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """One run of each of the short ones, by the command that `make chaos` runs."""
    report = tmp_path_factory.mktemp("chaos") / "chaos.json"
    command = [sys.executable, "-m", "e2e.chaos", "--runs", "1", "--report", str(report)]
    for name in SHORT:
        command += ["--scenario", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {row["scenario"]: row for row in json.loads(report.read_bytes())}


class TestPoints:
    def test_there_is_a_death_at_every_point_in_the_code(self):
        sources = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
        named = {point for source in sources for point in POINT.findall(source.read_text("utf-8"))}
        struck = {point for _, points in POINTS.values() for point in points}
        assert named - struck == set(ELSEWHERE)
        assert struck <= named
        assert all(point in (ROOT / place).read_text("utf-8") for point, place in ELSEWHERE.items())


@pytest.mark.timeout(600)
class TestChaos:
    @pytest.mark.parametrize("name", SHORT)
    def test_strikes_and_nothing_is_lost_doubled_or_missing(self, rows, name):
        row = rows[name]
        assert (row["runs"], row["failed"]) == (1, 0)
        assert row["strikes"] > 0
        assert row["acknowledged"] > 20
        assert [row[what] for what in ("lost", "doubled", "gaps")] == [0, 0, 0]
