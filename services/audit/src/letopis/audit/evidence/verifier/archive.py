"""A zip file of which every byte counts: stored members, fixed headers, one way to write it."""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

from .fault import Bad, Fault

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
VERSION, FLAGS, STORED, TIME, DATE = 20, 0, 0, 0, 0x21
LARGEST = 0xFFFFFFFF


@dataclass(frozen=True)
class Member:
    """A file of the archive and where its bytes begin."""

    name: str
    data: bytes
    start: int
    crc: int


def written(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The one archive of these files, in this order; Bad if it would pass 4 GB or 65,535 files."""
    return _written((name, data, crc32(data)) for name, data in files)


def _written(files: Iterable[tuple[str, bytes, int]]) -> bytes:
    parts: list[bytes] = []
    central: list[bytes] = []
    at = 0
    for name, data, crc in files:
        sums = (crc, len(data), len(data))
        spelled = name.encode("ascii")
        fixed = (VERSION, FLAGS, STORED, TIME, DATE)
        parts += (LOCAL.pack(b"PK\3\4", *fixed, *sums, len(spelled), 0), spelled, data)
        central.append(CENTRAL.pack(b"PK\1\2", VERSION, *fixed, *sums, len(spelled), 0, 0, 0, 0, 0, at) + spelled)
        at += LOCAL.size + len(spelled) + len(data)
    listing = b"".join(central)
    if at + len(listing) > LARGEST or len(central) > 0xFFFF:
        raise Bad("the archive is larger than 4 GB or has more than 65,535 files")
    end = END.pack(b"PK\5\6", 0, 0, len(central), len(central), len(listing), at, 0)
    return b"".join((*parts, listing, end))


def read(data: bytes, likely: Callable[[list[Member]], bool] = bool) -> tuple[list[Member], list[Fault]]:
    """The members, and the first byte at which the archive is not the one way to write them.

    The listing and the headers tell the same twice; where one is damaged the other is believed, the `likely`
    one if nothing else decides. A member's own bytes are not judged here: compare its CRC-32 and what else is
    known of it.
    """
    best: tuple[int, list[Member], list[Fault]] | None = None
    for telling in (_listed, _walked):
        try:
            members = telling(data)
            again = _written((member.name, member.data, member.crc) for member in members)
        except (Bad, struct.error, UnicodeError):
            continue
        differences = _differences(data, again)
        if not differences:
            return members, []
        damaged = sum(crc32(member.data) != member.crc for member in members)
        wrong = len(differences) + damaged + (not likely(members))
        if best is None or wrong < best[0]:
            faults = [Fault(f"archive byte {differences[0]}", "the zip structure is not as it was written")]
            best = wrong, members, faults
    if best is None:
        return [], [Fault("archive", "this is not a pack: its zip structure cannot be read")]
    return best[1], best[2]


def first_changed_byte(data: bytes, crc: int) -> Iterator[tuple[int, int]]:
    """Places where one changed byte explains the CRC-32: (offset, the byte that stood there).

    A CRC is linear: one byte's change shows in it as that change carried past the bytes behind it. Walking
    back from the end, each offset is tried in constant time; a longer file may have chance candidates, which
    the caller tells apart by the SHA-256.
    """
    syndrome = crc32(data) ^ crc
    for offset in range(len(data) - 1, -1, -1):
        if syndrome in _CHANGE:
            yield offset, data[offset] ^ _CHANGE[syndrome]
        syndrome = syndrome << 8 & LARGEST ^ _BACK[syndrome >> 24]


def _listed(data: bytes) -> list[Member]:
    """Members as the listing at the end tells them."""
    mark, _, _, _, count, length, start, comment = END.unpack_from(data, len(data) - END.size)
    if mark != b"PK\5\6" or comment or start + length + END.size != len(data):
        raise Bad("the archive has no end record")
    members, at = [], start
    for _ in range(count):
        entry = CENTRAL.unpack_from(data, at)
        if entry[0] != b"PK\1\2" or entry[8] != entry[9]:
            raise Bad("the listing is damaged")
        name = data[at + CENTRAL.size : at + CENTRAL.size + entry[10]]
        begin = entry[16] + LOCAL.size + len(name)
        members.append(_member(data, name, begin, entry[9], entry[7]))
        at += CENTRAL.size + len(name)
    return members


def _walked(data: bytes) -> list[Member]:
    """Members as their own headers tell them, one after the other."""
    members, at = [], 0
    while data[at : at + 4] == b"PK\3\4":
        header = LOCAL.unpack_from(data, at)
        name = data[at + LOCAL.size : at + LOCAL.size + header[9]]
        begin = at + LOCAL.size + len(name)
        members.append(_member(data, name, begin, header[8], header[6]))
        at = begin + header[8]
    return members


def _member(data: bytes, name: bytes, start: int, size: int, crc: int) -> Member:
    if start + size > len(data):
        raise Bad("a member reaches beyond the archive")
    return Member(name.decode("ascii"), data[start : start + size], start, crc)


def _differences(data: bytes, again: bytes) -> list[int]:
    """Offsets of differing bytes (at most a thousand), the shorter one's end among them."""
    if data == again:
        return []
    found, size, step = [], min(len(data), len(again)), 256
    for start in range(0, size, step):
        one, other = data[start : start + step], again[start : start + step]
        if one != other:
            found += [start + at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
            if len(found) > 1000:
                break
    if len(data) != len(again):
        found.append(size)
    return found


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()
# The table's top bytes are all different, so a step of the CRC can be taken back.
_BACK = [value << 8 & LARGEST | byte for byte, value in sorted(enumerate(_TABLE), key=lambda one: one[1])]
_CHANGE = {value: byte for byte, value in enumerate(_TABLE) if byte}
