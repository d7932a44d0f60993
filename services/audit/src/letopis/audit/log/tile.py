"""Tiles as C2SP tlog-tiles tells them: a tree as files of 256 hashes that never change, and entry bundles."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from letopis.audit.log.merkle import HASH_SIZE, Nodes

HEIGHT = 8
WIDTH = 1 << HEIGHT
LARGEST_ENTRY = 0xFFFF
# Tiles above the lowest level are few and asked for again and again: 152 of them lie over ten million leaves.
MOST_KEPT = 1024


class BadTile(Exception):
    """A tile or bundle has not the shape its name promises."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A place in the tree: level (0 holds leaf hashes), index within the level, and number of hashes."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`."""
        return f"tile/{self.level}/{index_path(self.index, self.width)}"

    def entries_path(self) -> str:
        """`tile/entries/<N>[.p/<W>]`: the bundle whose entries hash to this tile of level 0."""
        return f"tile/entries/{index_path(self.index, self.width)}"


# The rows of nodes over a tile's hashes, from the lowest, by tile.
Pyramids = dict[Tile, list[list[bytes]]]


def index_path(index: int, width: int = WIDTH) -> str:
    """The index in groups of three digits, all but the last with an x: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return "/".join(reversed(groups)) + partial


def parse_index(path: str) -> tuple[int, int]:
    """The index and width that a path tells; BadTile unless it is the one spelling of them."""
    number, dot, width = path.partition(".p/")
    digits = "".join(part.removeprefix("x") for part in number.split("/"))
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadTile(f"{path!r} names no tile")
    if dot and not (width.isascii() and width.isdigit() and len(width) <= 3):
        raise BadTile(f"{path!r} names no tile")
    index, hashes = int(digits), int(width) if dot else WIDTH
    if not 1 <= hashes <= WIDTH or index_path(index, hashes) != path:
        raise BadTile(f"{path!r} names no tile")
    return index, hashes


def new_tiles(old: int, size: int) -> Iterator[Tile]:
    """The tiles of a tree of `size` that a tree of `old` does not have, level by level."""
    level = 0
    while size >> HEIGHT * level:
        before, after = old >> HEIGHT * level, size >> HEIGHT * level
        if before != after:
            for index in range(before // WIDTH, -(-after // WIDTH)):
                yield Tile(level, index, min(WIDTH, after - index * WIDTH))
        level += 1


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes a tile holds in a tree of `size`, 0 if the tree does not reach it."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def nodes_from(read: Callable[[Tile], bytes], size: int, kept: Pyramids | None = None) -> Nodes:
    """The tree's nodes computed from its tiles, each read and folded once; BadTile where one has another length.

    `kept` serves the next readers of the same log: a tile of a certain width never changes.
    """
    known: Pyramids = {}

    def node(level: int, index: int) -> bytes:
        upper, row = divmod(level, HEIGHT)
        number, start = divmod(index << row, WIDTH)
        tile = Tile(upper, number, width_at(upper, number, size))
        rows = known.get(tile) or (kept or {}).get(tile)
        if rows is None:
            rows = _pyramid(tile, read(tile))
            if kept is not None and (upper or tile.width < WIDTH):
                if len(kept) >= MOST_KEPT:
                    kept.clear()
                kept[tile] = rows
        known[tile] = rows
        if row >= len(rows) or start >> row >= len(rows[row]):
            raise BadTile(f"node {index} of level {level} is not complete in a tree of {size}")
        return rows[row][start >> row]

    return node


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a complete subtree over its lowest row; the row's length is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = _joined(row)
    return row[0]


def _pyramid(tile: Tile, data: bytes) -> list[list[bytes]]:
    if len(data) != tile.width * HASH_SIZE:
        raise BadTile(f"{tile.path()} has {len(data)} bytes, not {tile.width * HASH_SIZE}")
    rows = [split(data)]
    while len(rows[-1]) > 1:
        rows.append(_joined(rows[-1]))
    return rows


def _joined(row: Sequence[bytes]) -> list[bytes]:
    """The row above: node hashes (RFC 6962) of complete pairs, spelled out because proofs live on it."""
    return [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]


def split(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after the other, each behind its length in two bytes; BadTile beyond 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise BadTile(f"an entry of {len(entry)} bytes does not fit a bundle")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; BadTile if it ends in the middle of one."""
    return list(_entries(data))


def prefix(data: bytes, width: int) -> bytes:
    """The bundle of the first `width` entries of a wider one; BadTile if it holds fewer."""
    kept = list(islice(_entries(data), width))
    if len(kept) != width:
        raise BadTile(f"the bundle holds {len(kept)} entries, not {width}")
    return bundle(kept)


def _entries(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise BadTile(f"the bundle ends within the entry at byte {at}")
        yield data[at + 2 : end]
        at = end
