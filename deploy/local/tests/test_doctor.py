"""What the doctor finds, and that it sees what is wrong."""

import os
import socket
from pathlib import Path

import pytest

from letopis.local import doctor


def verdicts(findings):
    return {finding.subject: finding.verdict for finding in findings}


class TestExamine:
    def test_finds_this_machine_fit(self, tmp_path):
        found = doctor.examine(tmp_path / "not" / "there", index=False)
        assert {finding.subject for finding in found if finding.verdict == "bad"} == set()
        assert {"machine", "user", "ports", "disk", "memory", "file system", "postgres", "nats"} <= verdicts(
            found
        ).keys()
        assert not (tmp_path / "not").exists()

    def test_sees_a_port_that_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            finding = doctor.ports(tmp_path, port - 9)
        assert finding.verdict == "bad"
        assert str(port) in finding.found

    def test_sees_a_folder_that_cannot_be_written(self):
        assert doctor.file_system(Path("/proc")).verdict == "bad"

    def test_sees_a_missing_program(self, monkeypatch):
        monkeypatch.setattr(doctor.nats, "binary", lambda: "/nowhere/nats-server")
        assert verdicts(doctor.programs())["nats"] == "bad"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
    def test_sees_root_without_namespaces(self, monkeypatch, tmp_path):
        monkeypatch.setattr(doctor, "namespaces_allowed", lambda: False)
        monkeypatch.setattr("letopis.local.unroot.namespaces_allowed", lambda: False)
        tmp_path.chmod(0o700)
        finding = doctor.root(tmp_path / "data")
        assert finding.verdict == "bad"
        assert "ordinary user" in finding.remedy
