"""Packs that were broken on purpose: never a false pass, never a crash, whatever was done to the file."""

import json
import os
import random
import struct

import pytest

from letopis.audit.evidence.verifier import archive
from letopis.audit.evidence.verifier.pack import verify

PROGRAM = b"#!/usr/bin/env python3\nprint('small')\n"
# `make fuzz` tries many more.
TRIES = int(os.environ.get("LETOPIS_FUZZ_PACKS", "250"))


@pytest.fixture(scope="module")
def small(kit):
    """A pack whose own program is small, so that most of its bytes are facts and proofs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit, "verify_pyz", lambda: PROGRAM)
        return kit.Draft().made()


def refused(pack, remake, good):
    """The verifier says no, in words, without falling over."""
    if pack == good:
        return
    verdict = verify(pack, remake)
    assert not verdict.good
    assert all(fault.place and fault.what for fault in verdict.faults)


def rewritten(members, order=None, **changes):
    """The archive of these members with some contents changed, its listing right in itself."""
    files = [(one.name, changes.get(one.name, one.data)) for one in members]
    return archive.written([files[at] for at in order] if order else files)


class TestFuzzed:
    def test_cut_off_at_every_length(self, small, remake):
        step = max(1, len(small) // TRIES)
        for size in (*range(0, len(small), step), *range(len(small) - 60, len(small))):
            refused(small[:size], remake, small)

    def test_bytes_put_in_taken_out_doubled_and_changed(self, small, remake):
        chance = random.Random(os.environ.get("LETOPIS_FUZZ_CHANCE", "1"))
        for _ in range(TRIES):
            pack, at, size = bytearray(small), chance.randrange(len(small)), chance.choice((1, 2, 4, 30, 500))
            what = chance.choice(("put", "take", "double", "change", "zero"))
            piece = small[at : at + size]
            new = {"put": piece + chance.randbytes(size), "take": b"", "double": piece * 2}
            pack[at : at + size] = new.get(what, bytes(len(piece)) if what == "zero" else chance.randbytes(len(piece)))
            refused(bytes(pack), remake, small)

    def test_members_in_another_order_missing_doubled_or_more(self, small, remake):
        members, _ = archive.read(small)
        chance = random.Random(2)
        for _ in range(30):
            order = list(range(len(members)))
            chance.shuffle(order)
            refused(rewritten(members, order), remake, small)
        for at in range(len(members)):
            rest = [one for one in range(len(members)) if one != at]
            refused(rewritten(members, rest), remake, small)
            refused(rewritten(members, [*range(len(members)), at]), remake, small)
        refused(archive.written([*((one.name, one.data) for one in members), ("extra", b"x")]), remake, small)

    def test_two_files_swapped(self, small, remake):
        members, _ = archive.read(small)
        for one in members:
            for other in members:
                if one.data != other.data and one.name < other.name:
                    changes = {one.name: other.data, other.name: one.data}
                    refused(rewritten(members, **changes), remake, small)

    def test_lines_swapped_doubled_or_taken_out(self, small, remake):
        members, _ = archive.read(small)
        for one in members:
            lines = one.data.splitlines(keepends=True)
            if len(lines) < 2:
                continue
            for changed in (lines[::-1], [*lines, lines[-1]], lines[1:], lines[:-1]):
                refused(rewritten(members, **{one.name: b"".join(changed)}), remake, small)

    def test_keys_doubled_in_json(self, small, remake):
        members, _ = archive.read(small)
        for one in members:
            if one.name.endswith(".json"):
                first = next(iter(json.loads(one.data)))
                doubled = one.data.replace(b"{", b'{"' + first.encode() + b'": 0,', 1)
                refused(rewritten(members, **{one.name: doubled}), remake, small)

    def test_sizes_and_counts_that_are_not_so(self, small, remake):
        """Every two and four bytes of every header set to extremes: no member is ever read beyond its place."""
        members, _ = archive.read(small)
        places = {one.start - len(one.name) - archive.LOCAL.size for one in members}
        start = struct.unpack_from("<I", small, len(small) - archive.END.size + 16)[0]
        headers = [(at, archive.LOCAL.size) for at in sorted(places)] + [(start, len(small) - start)]
        for at, size in headers:
            for offset in range(at, min(at + size, len(small) - 4), 2 if TRIES < 1000 else 1):
                for value in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f"):
                    pack = small[:offset] + value + small[offset + 4 :]
                    refused(pack, remake, small)

    def test_what_is_no_pack_at_all(self, remake):
        chance = random.Random(3)
        for size in (0, 1, 21, 22, 23, 100, 5000):
            for data in (bytes(size), chance.randbytes(size), b"PK\5\6" * (size // 4)):
                refused(data, remake, None)
