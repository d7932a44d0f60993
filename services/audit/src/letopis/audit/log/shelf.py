"""Where tiles lie: files below one directory a ledger, written once, as C2SP tlog-tiles lays them out."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from letopis.audit.log.merkle import HASH_SIZE
from letopis.audit.log.tile import WIDTH, Tile, prefix
from letopis.common import faults
from letopis.common.errors import EventStoreError, NotFound, Unavailable

AT_ONCE = 8


class TileConflict(EventStoreError):
    """A tile is to be written that stands there with other content: two histories of one ledger."""

    code = "log.tile_conflict"
    title = "A tile would have to change; tiles never change"


class Shelf:
    """Tiles, entry bundles and the published checkpoint of each ledger."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Before the first tile there may be no store; one that stood and is gone is a share that is not mounted.
        self._stood = root.parent.is_dir()

    def tile(self, ledger: str, tile: Tile) -> bytes:
        """A tile; a partial one is also found as the beginning of a wider one. NotFound if there is none."""
        return self._read(ledger, tile, Tile.path, lambda data: data[: tile.width * HASH_SIZE])

    def entries(self, ledger: str, tile: Tile) -> bytes:
        """An entry bundle, likewise."""
        return self._read(ledger, tile, Tile.entries_path, lambda data: prefix(data, tile.width))

    def checkpoint(self, ledger: str, name: str = "checkpoint") -> bytes | None:
        """The published note, or the last one that was `witnessed`, if there is one."""
        try:
            return (self.root / ledger / name).read_bytes()
        except FileNotFoundError:
            there = self.root.parent.is_dir()
            if self._stood and not there:
                raise Unavailable("the object store is not there") from None
            self._stood = there
            return None

    def write(self, ledger: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Write tiles; each MUST be durable under its name on return. TileConflict if one stands there otherwise."""
        fresh = []
        for name, data in files:
            path = self.root / ledger / name
            if path.is_file():
                if path.read_bytes() != data:
                    raise TileConflict(f"{ledger}: {name} stands there with other content", tile=name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.append((path, data))
        # The disk takes many files at once in hardly more time than one.
        with ThreadPoolExecutor(AT_ONCE) as hands:
            list(hands.map(lambda one: self._settle(*one), fresh))
            list(hands.map(_sync, {path.parent for path, _ in fresh}))

    def publish(self, ledger: str, note: bytes, name: str = "checkpoint") -> None:
        """Replace the published checkpoint; a reader sees the old or the new one, whole."""
        path = self.root / ledger / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._settle(path, note)
        _sync(path.parent)

    def _read(self, ledger: str, tile: Tile, name: Callable[[Tile], str], cut: Callable[[bytes], bytes]) -> bytes:
        for width in (tile.width, WIDTH):
            path = self.root / ledger / name(Tile(tile.level, tile.index, width))
            if path.is_file():
                return cut(path.read_bytes())
        wider = (self.root / ledger / name(Tile(tile.level, tile.index, 1))).parent
        widths = sorted(int(one.name) for one in wider.glob("*") if one.name.isdigit())
        for width in widths:
            if width > tile.width:
                return cut((wider / str(width)).read_bytes())
        if not self.root.is_dir():
            raise Unavailable("the object store is not there")
        raise NotFound(f"{ledger} has no {name(tile)}")

    def _settle(self, path: Path, data: bytes) -> None:
        aside = path.with_name(f".{path.name}.{uuid4()}")
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        faults.point("shelf.aside")
        aside.rename(path)
        faults.point("shelf.renamed")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
