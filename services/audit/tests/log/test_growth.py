"""Growing by batches gives the tiles and bundles of the whole tree, whatever the batches."""

from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.audit.log.growth import grow
from letopis.audit.log.merkle import leaf_hash, root_of
from letopis.audit.log.tile import WIDTH, Tile, bundle, new_tiles, unbundle

LEAVES = [f"leaf {number}".encode() for number in range(70_000)]


def grown(batches):
    files, size = {}, 0

    def find(name):
        return lambda tile: files[name(tile)]

    for count in batches:
        step = grow(size, LEAVES[size : size + count], find(Tile.path), find(Tile.entries_path))
        assert not set(files) & {name for name, _ in step.files}
        files |= dict(step.files)
        size += count
        assert step.frontier.size == size
        assert step.frontier.root() == root_of(map(leaf_hash, LEAVES[:size]))
        assert {tile.path() for tile in new_tiles(0, size)} <= set(files)
    return files, size


class TestGrow:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(1, 700), min_size=1, max_size=5))
    def test_by_any_batches_gives_the_tree(self, batches):
        files, size = grown(batches)
        for tile in new_tiles(0, size):
            span = 256**tile.level
            first = tile.index * WIDTH
            hashes = [
                root_of(map(leaf_hash, LEAVES[at * span : (at + 1) * span])) for at in range(first, first + tile.width)
            ]
            assert files[tile.path()] == b"".join(hashes)
            if tile.level == 0:
                assert unbundle(files[tile.entries_path()]) == LEAVES[first : first + tile.width]
                assert files[tile.entries_path()] == bundle(LEAVES[first : first + tile.width])

    def test_over_a_border_of_level_two_gives_the_tree(self):
        files, size = grown([65_300, 300, 4_400])
        assert size == 70_000
        assert {"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/17", "tile/0/273.p/112"} <= set(files)
        assert len(files["tile/1/000"]) == 8192
