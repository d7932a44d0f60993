"""Sealed cookies open only unchanged, under their own name, in time."""

from datetime import UTC, datetime, timedelta

import pytest

from letopis.console.session.cookie import Seal

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def seal(tmp_path):
    return Seal.from_file(tmp_path / "secrets" / "cookie.key")


class TestSeal:
    def test_opens_what_it_closed(self, seal):
        assert seal.open("a", seal.close("a", {"x": 1}, LATER), NOW) == {"x": 1}

    def test_keeps_its_key_with_mode_0600(self, tmp_path):
        first, again = (Seal.from_file(tmp_path / "k") for _ in range(2))
        assert first == again
        assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600

    def test_refuses_another_name_a_late_hour_and_nonsense(self, seal):
        sealed = seal.close("a", {"x": 1}, LATER)
        assert seal.open("b", sealed, NOW) is None
        assert seal.open("a", sealed, LATER) is None
        for nonsense in (None, "", "%%%", "AAAA", "я"):
            assert seal.open("a", nonsense, NOW) is None

    def test_refuses_every_changed_character(self, seal):
        sealed = seal.close("a", {"x": 1}, LATER)
        for place in range(len(sealed) - 2):
            changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
            assert seal.open("a", changed, NOW) is None
