"""The commands, as a person or the build calls them."""

from pathlib import Path

import pytest

from letopis.common.policy.bundle import BundleRefused, public_half, verify_bundle
from letopis.common.policy.cli import commands
from letopis.common.policy.sources import Bundle

ROOMS = str(Path(__file__).parent / "rooms")


def call(*words: object) -> int:
    return commands(["policy", *map(str, words)], result_action="return_value")


def test_checks_tests_builds_and_verifies(tmp_path: Path, demo: Bundle, capsys: pytest.CaptureFixture) -> None:
    key, out = tmp_path / "policy.pem", tmp_path / "bundle.tar.gz"
    assert call("keygen", "--out", key) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert call("check", "--source", ROOMS) == 0
    assert call("test", "--source", ROOMS) == 0
    assert call("build", "--source", ROOMS, "--out", out, "--key", key) == 0
    assert call("verify", out, "--key", key.with_suffix(".pub")) == 0
    assert demo.revision in capsys.readouterr().out
    assert verify_bundle(out, public_half(key.read_bytes())) == demo


def test_the_installed_services_pass(capsys: pytest.CaptureFixture) -> None:
    assert call("check") == 0, capsys.readouterr().err


def test_complaints_stop_a_build(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    room = tmp_path / "rooms" / "demo" / "parcel"
    room.mkdir(parents=True)
    (room / "policy.rego").write_text('package letopis.demo.parcel\n\nimport rego.v1\n\ndeny contains "a.b" if false\n')
    key = tmp_path / "policy.pem"
    call("keygen", "--out", key)
    assert call("check", "--source", tmp_path / "rooms") == 1
    assert "`default allow := false` is missing" in capsys.readouterr().err
    assert call("build", "--source", tmp_path / "rooms", "--out", tmp_path / "b", "--key", key) == 1
    assert not (tmp_path / "b").exists()


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "policy.pem"
    call("keygen", "--out", key)
    with pytest.raises(BundleRefused):
        call("verify", tmp_path / "none.tar.gz", "--key", key.with_suffix(".pub"))
