"""The lock store: one way forward, compared and swapped."""

import pytest

from letopis.audit.checkpoint.lock import HeadMoved, Locked, LockStore


@pytest.fixture
def locks(tmp_path):
    return LockStore(tmp_path / "lock" / "heads.sqlite")


ONE, TWO = Locked(3, b"a" * 32), Locked(5, b"b" * 32)


class TestLockStore:
    def test_begins_with_the_empty_tree(self, locks):
        assert locks.head("registry") == Locked()

    def test_keeps_every_head(self, locks):
        locks.advance("registry", Locked(), ONE)
        locks.advance("registry", ONE, TWO)
        assert LockStore(locks.path).head("registry") == TWO
        assert locks.sealed("registry", 3) == ONE
        assert locks.sealed("registry", 4) is None
        assert locks.head("access") == Locked()

    @pytest.mark.parametrize(
        ("before", "after"),
        [(Locked(), TWO), (Locked(3, b"x" * 32), TWO), (ONE, Locked(3, b"c" * 32)), (ONE, Locked(2, b"c" * 32))],
    )
    def test_refuses_another_base_and_a_way_back(self, locks, before, after):
        locks.advance("registry", Locked(), ONE)
        with pytest.raises(HeadMoved):
            locks.advance("registry", before, after)
        assert locks.head("registry") == ONE
