"""Checkpoints kept outside: a folder with the signed note, the key, and the leaf hashes it speaks of."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from letopis.audit.evidence.verifier import merkle
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.ledger import sealed
from letopis.audit.evidence.verifier.note import Head, Keys, head_of, keys_of
from letopis.audit.log.tile import Tile, new_tiles

# Tiles that are asked for at once: who asks and who answers work side by side.
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A head, and the leaf hashes below it if they were kept too."""

    head: Head
    hashes: list[bytes] | None

    @property
    def ledger(self) -> str:
        """The origin's last part."""
        return self.head.origin.rpartition("/")[2]


def read(place: Path, keys: Keys | None = None) -> Kept:
    """A kept folder, or a note alone; the key beside it is used unless others are given. Bad if it does not verify."""
    folder = place if place.is_dir() else place.parent
    note = (place / "checkpoint" if place.is_dir() else place).read_bytes()
    if keys is None:
        if not (folder / "key").is_file():
            raise Bad("give the log's key with --key; none was kept beside the checkpoint", str(place))
        keys = keys_of((folder / "key").read_text("utf-8"))
    try:
        head = head_of(note, keys)
        paths = [folder / tile.path() for tile in _level_0(head.size)]
        if head.size and not all(path.is_file() for path in paths):
            return Kept(head=head, hashes=None)
        return Kept(head=head, hashes=sealed((path.read_bytes() for path in paths), head))
    except Bad as bad:
        raise Bad(bad.what, str(place)) from None


def fetch(log: httpx.Client, ledger: str, folder: Path, keys: Keys | None = None) -> tuple[Head, Head | None]:
    """Keep the published checkpoint of a ledger with its tiles; the head, and the one that was kept before.

    What was kept before must be the beginning of what is published now, else Bad and the old stays.
    """
    published = _get(log, f"/log/{ledger}/key").decode()
    key = folder / "key"
    before = read(folder, keys) if (folder / "checkpoint").is_file() else None
    if keys is None:
        if key.is_file() and key.read_text("utf-8") != published:
            raise Bad("the log has another key than the one that was kept", str(key))
        keys = keys_of(published)
    note = _get(log, f"/log/{ledger}/checkpoint")
    head = head_of(note, keys)
    tiles = _tiles(log, ledger, head.size)
    hashes = sealed(tiles.values(), head)
    old = before.head if before else None
    if before is not None and (
        before.head.size > head.size or merkle.root(hashes[: before.head.size]) != before.head.root
    ):
        raise _fork(before, hashes)
    for tile, data in tiles.items():
        path = folder / tile.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)
    key.write_text(published, "utf-8")
    # The note last: a folder whose fetching broke off still verifies as it was.
    (folder / "checkpoint").write_bytes(note)
    return head, old


def continued(log: httpx.Client, kept: Kept, keys: Keys) -> Head:
    """The head that is published now, if it continues the kept one; Bad if it does not."""
    ledger = kept.ledger
    head = head_of(_get(log, f"/log/{ledger}/checkpoint"), keys)
    if head.origin != kept.head.origin:
        raise Bad(f"the log shows {head.origin}, kept is {kept.head.origin}", ledger)
    if head.size < kept.head.size:
        raise Bad(
            f"is missing: the log shows {head.size} facts, kept is a head of {kept.head.size}",
            f"{ledger}/{head.size + 1}",
        )
    hashes = sealed(_tiles(log, ledger, head.size).values(), head)
    if merkle.root(hashes[: kept.head.size]) != kept.head.root:
        raise _fork(kept, hashes)
    return head


def sealed_hashes(log: httpx.Client, ledger: str) -> list[bytes]:
    """The leaf hashes under the published checkpoint, with the key that is published beside it."""
    head = head_of(_get(log, f"/log/{ledger}/checkpoint"), keys_of(_get(log, f"/log/{ledger}/key").decode()))
    return sealed(_tiles(log, ledger, head.size).values(), head)


def _fork(kept: Kept, hashes: list[bytes]) -> Bad:
    """A history that is not the kept one: the first fact that differs, if the leaf hashes were kept too."""
    what = f"the published log does not begin with the kept head of {kept.head.size}: a fork"
    if kept.hashes is None:
        return Bad(what, kept.ledger)
    pairs = zip(kept.hashes, hashes, strict=False)
    first = next((at for at, (ours, theirs) in enumerate(pairs, 1) if ours != theirs), len(hashes) + 1)
    return Bad(f"is not the fact that was sealed; {what}", f"{kept.ledger}/{first}")


def _level_0(size: int) -> list[Tile]:
    return [tile for tile in new_tiles(0, size) if tile.level == 0]


def _tiles(log: httpx.Client, ledger: str, size: int) -> dict[Tile, bytes]:
    """The tiles of leaf hashes under a head of this size, in their order."""
    wanted = _level_0(size)
    with ThreadPoolExecutor(AT_ONCE) as asking:
        return dict(
            zip(wanted, asking.map(lambda tile: _get(log, f"/log/{ledger}/{tile.path()}"), wanted), strict=True)
        )


def _get(log: httpx.Client, path: str) -> bytes:
    try:
        answer = log.get(path)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Bad(f"cannot be fetched: {error}", path) from error
    return answer.content
