"""The `letopis` command with the issuer alone: what it prints, and how it ends."""

import stat
import sys

import pytest

from letopis.sdk import cli


@pytest.fixture
def letopis(config, places, monkeypatch, capsys):
    """Runs the command; exit code, output and error output."""
    for name, url in places.urls.items():
        variable = "LETOPIS_OIDC_ISSUER" if name == "issuer" else f"LETOPIS_{name.upper()}_URL"
        monkeypatch.setenv(variable, url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["letopis", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


class TestLogin:
    def test_by_name_and_out_again(self, letopis):
        assert letopis("login", "--as", "Anna") == (0, "you are anna\n", "")
        assert letopis("logout") == (0, "anna is logged out here\n", "")
        code, _, told = letopis("logout")
        assert code == 1
        assert "nobody is logged in here" in told

    def test_a_stranger_is_told_whom_the_demonstration_knows(self, letopis):
        code, _, told = letopis("login", "--as", "mallory")
        assert code == 1
        assert "anna, boris" in told


class TestAway:
    def test_a_service_that_is_away_is_named_with_what_to_do(self, letopis, places):
        letopis("login", "--as", "anna")
        code, told, _ = letopis("whoami")
        assert code == 0
        assert "Anna" in told
        assert f"nothing answers at {places.of('registry')}" in told
        for command in (("preview", "m.1"), ("approve", "p-1", "--yes"), ("key", "enroll")):
            code, _, told = letopis(*command)
            assert code == 1
            assert f"nothing answers at {places.of('registry')}" in told
            assert "letopis up" in told

    def test_the_key_is_made_private_and_kept(self, letopis, config):
        letopis("login", "--as", "anna")
        letopis("key", "enroll")
        made = next(config.rglob("*.pem"))
        before = made.read_text()
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        letopis("key", "enroll")
        assert made.read_text() == before


class TestCommands:
    def test_those_of_other_packages_are_there(self, letopis):
        code, told, _ = letopis("--help")
        assert code == 0
        for command in ("approve", "login", "preview", "up", "down", "doctor"):
            assert f"│ {command} " in told
