"""Every attack of the design, as superuser and with stolen keys: each is named, with the first bad position."""

import shutil

import pytest
from e2e.chaos.tampering.place import AT, ATTACKS, COUNT, LEDGER, Place, database_verdict, fact, log_verdict

from letopis.audit.checkpoint.sealer import LedgerRestored, LockLost, SealingStopped


@pytest.fixture(scope="module")
def honest(databases, tmp_path_factory):
    """A sealed chronicle, grown after its head was kept outside."""
    made = databases.clone("audit", None)
    place = Place(made.superuser_url, tmp_path_factory.mktemp("honest") / "audit")
    place.folder.mkdir()
    place.seal([fact(position) for position in range(1, COUNT - 50)])
    outside = place.keep()
    place.seal([fact(position) for position in range(COUNT - 50, COUNT + 1)])
    yield place, outside
    databases.drop(made)


@pytest.fixture
def attacked(honest, databases, tmp_path):
    """The same once more, to be attacked."""
    made = databases.clone("audit", None)
    place = Place(made.superuser_url, tmp_path / "audit")
    shutil.copytree(honest[0].folder, place.folder)
    place.seal([fact(position) for position in range(1, COUNT + 1)])
    yield place, honest[1]
    databases.drop(made)


class TestHonest:
    def test_is_found_as_it_was_kept(self, honest):
        place, outside = honest
        assert database_verdict(place, outside) == log_verdict(place, outside) == ""


@pytest.mark.parametrize("attack", ATTACKS, ids=[one.name for one in ATTACKS])
class TestAttack:
    def test_is_named_with_the_first_bad_position(self, attacked, attack):
        """A superuser, or a thief of the log's key, is named by whoever kept one signed head outside."""
        place, outside = attacked
        attack.act(place)
        expected = f"{LEDGER}/{attack.position}"
        assert database_verdict(place, outside) == (expected if attack.database else "")
        assert log_verdict(place, outside) == (expected if attack.log else "")


class TestSealer:
    """The chronicle itself notices, at its next round, what stands in its way."""

    def test_refuses_to_go_on_over_a_cut_end(self, attacked):
        place, _ = attacked
        next(one for one in ATTACKS if one.name == "the end cut off").act(place)
        with pytest.raises(LedgerRestored) as stopped:
            place.seal([])
        assert stopped.value.extra["position"] == AT

    def test_refuses_a_head_that_it_never_locked(self, attacked):
        place, _ = attacked
        next(one for one in ATTACKS if one.name.startswith("the whole tree")).act(place)
        with pytest.raises(LockLost):
            place.seal([])

    def test_refuses_to_extend_a_tree_whose_tiles_were_changed(self, attacked):
        place, _ = attacked
        full, left = divmod(COUNT, 256)
        tile = place.folder / "log" / LEDGER / "tile" / "0" / f"{full:03d}.p" / str(left)
        data = bytearray(tile.read_bytes())
        data[-1] ^= 1
        tile.write_bytes(bytes(data))
        with pytest.raises(SealingStopped):
            place.seal([fact(COUNT + 1)])
