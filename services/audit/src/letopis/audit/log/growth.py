"""How a tree grows, pure: the tiles and bundles that a batch of leaves adds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from letopis.audit.log.merkle import Frontier, frontier_at, leaf_hash
from letopis.audit.log.tile import HEIGHT, WIDTH, Tile, bundle, fold, new_tiles, nodes_from, split

Read = Callable[[Tile], bytes]


@dataclass(frozen=True, slots=True)
class Grown:
    """The tree after a batch, and the files that it has and the tree before had not."""

    frontier: Frontier
    files: list[tuple[str, bytes]]


def grow(size: int, leaves: Sequence[bytes], tiles: Read, bundles: Read) -> Grown:
    """Append leaves to a tree of `size` whose tiles and bundles can be read."""
    frontier = frontier_at(size, nodes_from(tiles, size))
    hashes = [leaf_hash(leaf) for leaf in leaves]
    after = size + len(leaves)
    files, level, fresh = [], 0, hashes
    while after >> HEIGHT * level:
        old = size >> HEIGHT * level
        number, kept = divmod(old, WIDTH)
        row = (split(tiles(Tile(level, number, kept))) if kept else []) + fresh
        files += [
            (tile.path(), b"".join(row[at : at + tile.width]))
            for tile in new_tiles(size, after)
            if tile.level == level
            for at in [(tile.index - number) * WIDTH]
        ]
        fresh = [fold(row[at : at + WIDTH]) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        level += 1
    files += _bundles(size, leaves, bundles)
    return Grown(frontier.extended(hashes), files)


def _bundles(size: int, leaves: Sequence[bytes], bundles: Read) -> list[tuple[str, bytes]]:
    number, kept = divmod(size, WIDTH)
    begun = bundles(Tile(0, number, kept)) if kept else b""
    files = []
    for tile in new_tiles(size, size + len(leaves)):
        if tile.level == 0:
            first = max(0, (tile.index - number) * WIDTH - kept)
            last = (tile.index - number) * WIDTH - kept + tile.width
            data = bundle(leaves[first:last])
            files.append((tile.entries_path(), begun + data if tile.index == number else data))
    return files
