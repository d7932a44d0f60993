"""The benches tell what they should in the shape they should; how fast the machine is, is nobody's test."""

import json
import os
import subprocess
import sys

import pytest
from e2e.bench import chronicle, core, policy, report
from e2e.bench.__main__ import main
from e2e.bench.memory import FILES, by_part
from rich.console import Console

# The first three stand beside two peers each.
TWICE = ["append 1 writer", "append 16 writers", "batch 100"]
WORKS = [*(work for work in TWICE for _ in range(2)), "relay", "segments", "reader"]
REBUILT = ["rebuild", "rebuild, one process", "live view lag"]


class TestCore:
    def test_a_tiny_run_tells_every_work_beside_its_peer(self, tmp_path, capsys):
        rows = core.measure(0.2)
        told = json.loads(report.write("core", rows, tmp_path).read_text("utf-8"))
        assert [one["work"] for one in told] == WORKS + REBUILT
        for one in told:
            assert list(one) == ["work", "ours", "unit", "peer", "peer_value", "ratio"]
            lag = one["work"] == "live view lag"
            assert one["unit"] == ("ms" if lag else "facts/s")
            assert one["peer"]
            assert one["ours"] > 0
            assert one["peer_value"] > 0
            better = one["peer_value"] / one["ours"] if lag else one["ours"] / one["peer_value"]
            assert one["ratio"] == pytest.approx(better, rel=0.02, abs=0.006)
        report.show("core", rows, report.machine(), Console(width=140))
        table = capsys.readouterr().out
        assert f"{os.uname().release}" in table
        assert all(one in table for one in WORKS + REBUILT)


class TestChronicle:
    def test_a_tiny_run_tells_every_work_beside_what_is_asked(self):
        rows = chronicle.of_facts(0.0005)
        assert [one["work"].partition(" (")[0] for one in rows] == ["proof", "seal", "seal", "verify", "inventory"]
        assert all(one["ours"] > 0 and one["peer"] and one["peer_value"] for one in rows)


class TestPolicy:
    def test_a_tiny_run_tells_what_is_kept_what_is_asked_and_what_is_denied(self):
        rows = {one["work"]: one for one in policy.measure(20)}
        assert {"cached", "uncached"} <= set(rows)
        assert {rows[name]["unit"] for name in ("cached", "uncached")} == {"us"}
        assert all(one["ours"] > 0 for one in rows.values())


class TestReport:
    @pytest.mark.parametrize(("unit", "ratio"), [("facts/s", 0.5), ("ms", 2.0), ("MB", 2.0)])
    def test_a_ratio_above_one_is_better_than_the_peer(self, unit, ratio):
        assert report.row("work", 100, unit, "peer", 200)["ratio"] == ratio

    def test_without_a_peer_there_is_no_ratio(self):
        assert report.row("work", 1234.5, "MB") == {
            "work": "work",
            "ours": 1234,
            "unit": "MB",
            "peer": "",
            "peer_value": None,
            "ratio": None,
        }

    def test_names_the_machine(self):
        assert f"{len(os.sched_getaffinity(0))} cores" in report.machine()

    def test_an_unknown_bench_is_refused_by_name(self, capsys):
        assert main(["cores"]) == 2
        assert "there is no bench cores; there are core, stack, scoring" in capsys.readouterr().err


class TestMemory:
    def test_a_part_is_its_first_process_and_all_below(self):
        """A child that holds 64 MB counts for the part above it, or for itself where it is a part."""
        held = "import sys; held = bytes(range(256)) * (64 << 12); print(flush=True); sys.stdin.read()"
        child = subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            child.stdout.readline()
            together = by_part({os.getpid(): "here"})
            apart = by_part({os.getpid(): "here", child.pid: "child"})
        finally:
            child.communicate()
        assert 64 < apart["child"] < 128
        assert apart[FILES] > 1
        assert together.total() == pytest.approx(apart.total(), rel=0.1)
