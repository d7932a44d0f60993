"""Tiles against the examples of C2SP tlog-tiles and the tree computed directly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.audit.log.merkle import (
    check_consistency,
    check_inclusion,
    consistency_proof,
    head_at,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from letopis.audit.log.tile import (
    BadTile,
    Tile,
    bundle,
    fold,
    index_path,
    new_tiles,
    nodes_from,
    parse_index,
    prefix,
    unbundle,
    width_at,
)

HASHES = [leaf_hash(f"leaf {number}".encode()) for number in range(70_000)]


def content(tile):
    """A tile by its definition: MTH of 256^level leaves for each of its hashes."""
    span = 256**tile.level
    first = tile.index * 256
    return b"".join(root_of(HASHES[at * span : (at + 1) * span]) for at in range(first, first + tile.width))


@pytest.fixture(scope="module")
def tiles():
    return {tile: content(tile) for tile in new_tiles(0, len(HASHES))}


class TestPath:
    def test_is_the_specifications_example(self):
        assert index_path(1234067) == "x001/x234/067"
        assert Tile(0, 1234067).path() == "tile/0/x001/x234/067"
        assert Tile(1, 0, 17).path() == "tile/1/000.p/17"
        assert Tile(0, 273, 112).entries_path() == "tile/entries/273.p/112"

    @given(st.integers(0, 10**12), st.integers(1, 256))
    def test_is_read_back(self, index, width):
        assert parse_index(index_path(index, width)) == (index, width)

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "",
                "1",
                "0001",
                "x001",
                "x001/x234/67",
                "001/234/067",
                "x000/001",
                "-01",
                "x1/001",
                "xx001/001",
            ),
            *(
                "001.p/0",
                "001.p/256",
                "001.p/07",
                "001.p/",
                "001.p/1.p/1",
                "001/",
                "../000",
                "\u0661\u0661\u0661",
            ),
        ],
    )
    def test_has_one_spelling(self, path):
        with pytest.raises(BadTile):
            parse_index(path)


class TestTiles:
    def test_of_70000_entries_are_those_of_the_specification(self):
        widths = {}
        for tile in new_tiles(0, 70_000):
            widths.setdefault((tile.level, tile.width), []).append(tile.index)
        assert widths == {
            (0, 256): list(range(273)),
            (0, 112): [273],
            (1, 256): [0],
            (1, 17): [1],
            (2, 1): [0],
        }

    def test_of_256_entries_are_one_full_and_one_above(self):
        assert list(new_tiles(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]

    @given(st.integers(0, 70_000), st.integers(0, 70_000))
    def test_new_ones_are_those_the_old_tree_did_not_have(self, one, other):
        old, size = sorted((one, other))
        assert set(new_tiles(old, size)) == set(new_tiles(0, size)) - set(new_tiles(0, old))

    def test_give_the_trees_head_at_every_size(self, tiles):
        nodes = nodes_from(tiles.__getitem__, len(HASHES))
        for size in (1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000):
            assert head_at(size, nodes) == root_of(HASHES[:size])

    @settings(deadline=None, max_examples=60)
    @given(st.integers(0, 69_999), st.integers(1, 70_000))
    def test_give_proofs(self, tiles, index, old):
        nodes, root = nodes_from(tiles.__getitem__, len(HASHES)), root_of_all()
        check_inclusion(index, 70_000, HASHES[index], inclusion_proof(index, 70_000, nodes), root)
        check_consistency(old, 70_000, head_at(old, nodes), root, consistency_proof(old, 70_000, nodes))

    def test_of_another_length_are_refused(self, tiles):
        nodes = nodes_from(lambda tile: tiles[tile][:-32], len(HASHES))
        with pytest.raises(BadTile, match="8160 bytes"):
            nodes(0, 0)

    def test_have_no_nodes_beyond_the_tree(self, tiles):
        nodes = nodes_from(tiles.__getitem__, len(HASHES))
        with pytest.raises(BadTile):
            nodes(7, (70_000 >> 7))

    def test_have_a_width_at_every_size(self):
        assert [width_at(0, 0, size) for size in (0, 1, 256, 300)] == [0, 1, 256, 256]
        assert width_at(1, 1, 70_000) == 17


_ROOT = []


def root_of_all():
    if not _ROOT:
        _ROOT.append(root_of(HASHES))
    return _ROOT[0]


class TestFold:
    @given(st.integers(0, 6))
    def test_is_the_root_of_a_full_row(self, level):
        assert fold(HASHES[: 1 << level]) == root_of(HASHES[: 1 << level])


class TestBundle:
    @given(st.lists(st.binary(max_size=400), max_size=20))
    def test_is_read_back(self, entries):
        assert unbundle(bundle(entries)) == entries

    def test_is_big_endian_lengths_and_bytes(self):
        assert bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"

    def test_takes_entries_up_to_65535_bytes(self):
        assert unbundle(bundle([b"x" * 65_535])) == [b"x" * 65_535]
        with pytest.raises(BadTile):
            bundle([b"x" * 65_536])

    @given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.data())
    def test_cut_within_an_entry_is_refused(self, entries, data):
        whole = bundle(entries)
        borders, at = {0}, 0
        for entry in entries:
            at += 2 + len(entry)
            borders.add(at)
        cut = data.draw(st.integers(0, len(whole)).filter(lambda one: one not in borders))
        with pytest.raises(BadTile):
            unbundle(whole[:cut])

    def test_has_prefixes(self):
        whole = bundle([b"a", b"bb", b"ccc"])
        assert unbundle(prefix(whole, 2)) == [b"a", b"bb"]
        with pytest.raises(BadTile):
            prefix(whole, 4)
