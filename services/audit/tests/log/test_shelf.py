"""Tiles on disk: written once, found whole or as a beginning, never replaced."""

import pytest

from letopis.audit.log.shelf import Shelf, TileConflict
from letopis.audit.log.tile import Tile, bundle
from letopis.common.errors import NotFound


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


class TestTile:
    def test_is_read_back(self, shelf):
        shelf.write("registry", [("tile/0/x001/234.p/2", b"a" * 32 + b"b" * 32)])
        assert shelf.tile("registry", Tile(0, 1234, 2)) == b"a" * 32 + b"b" * 32

    def test_that_is_partial_is_found_in_a_wider_one(self, shelf):
        shelf.write("registry", [("tile/0/000.p/3", b"a" * 32 + b"b" * 32 + b"c" * 32)])
        assert shelf.tile("registry", Tile(0, 0, 2)) == b"a" * 32 + b"b" * 32
        with pytest.raises(NotFound):
            shelf.tile("registry", Tile(0, 0, 4))

    def test_that_is_partial_is_found_in_the_full_one(self, shelf):
        shelf.write("registry", [("tile/0/000", b"abcdefgh" * 4 * 256)])
        assert shelf.tile("registry", Tile(0, 0, 1)) == b"abcdefgh" * 4

    def test_never_changes(self, shelf):
        shelf.write("registry", [("tile/0/000.p/1", b"a" * 32)])
        shelf.write("registry", [("tile/0/000.p/1", b"a" * 32)])
        with pytest.raises(TileConflict):
            shelf.write("registry", [("tile/0/000.p/1", b"b" * 32)])
        assert shelf.tile("registry", Tile(0, 0, 1)) == b"a" * 32

    def test_of_another_ledger_is_another(self, shelf):
        shelf.write("registry", [("tile/0/000.p/1", b"a" * 32)])
        with pytest.raises(NotFound):
            shelf.tile("access", Tile(0, 0, 1))


class TestEntries:
    def test_are_found_in_a_wider_bundle(self, shelf):
        shelf.write("registry", [("tile/entries/000.p/3", bundle([b"a", b"bb", b"ccc"]))])
        assert shelf.entries("registry", Tile(0, 0, 2)) == bundle([b"a", b"bb"])


class TestCheckpoint:
    def test_is_replaced_whole(self, shelf):
        assert shelf.checkpoint("registry") is None
        shelf.publish("registry", b"one")
        shelf.publish("registry", b"two")
        assert shelf.checkpoint("registry") == b"two"
