"""The journal's bytes: what is written is read back, and every way of spoiling them is told apart."""

import os

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.envelope import NewFact
from letopis.common.ids import uuid7
from letopis.inference.decision.frame import (
    SEGMENT_HEADER,
    Ending,
    Header,
    decode_header,
    encode_batch,
    encode_header,
    entries,
    first_chain,
    tail,
)

FACTS = st.builds(
    lambda data, meta, version: NewFact(
        event_id=uuid7(),
        type="decisions.decision.made",
        schema_version=version,
        salt=os.urandom(16),
        data=data,
        meta=meta,
    ),
    st.binary(max_size=60),
    st.binary(max_size=20),
    st.integers(1, 9),
)
BATCHES = st.lists(st.lists(FACTS, min_size=1, max_size=4), min_size=1, max_size=5)


def segment(batches: list[list[NewFact]]) -> tuple[Header, bytes, list[int]]:
    """A segment of these batches, and the offset at which each of them begins (and the last ends)."""
    source = uuid7()
    header = Header(source_id=source, first_seq=1, batch=0, chain=first_chain(source))
    buffer, chain, borders = encode_header(header), header.chain, [SEGMENT_HEADER]
    for number, batch in enumerate(batches, 1):
        piece, chain = encode_batch(batch, number, chain)
        buffer += piece
        borders.append(len(buffer))
    return header, buffer + bytes(256), borders


def test_crc_is_castagnoli() -> None:
    """RFC 3720, appendix B.4: 32 bytes of zeros, and the check value of the catalogue of CRCs."""
    assert google_crc32c.value(bytes(32)) == 0x8A9136AA
    assert google_crc32c.value(b"123456789") == 0xE3069283


class TestRoundTrip:
    @given(BATCHES)
    @settings(max_examples=60, deadline=None)
    def test_reads_what_was_written(self, batches: list[list[NewFact]]) -> None:
        header, buffer, borders = segment(batches)
        assert decode_header(buffer) == header
        found = list(entries(buffer, header))
        assert [entry.fact for entry in found] == [fact for batch in batches for fact in batch]
        assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
        end = tail(buffer, header)
        assert (end.ending, end.offset, end.batch) == (Ending.CLEAN, borders[-1], len(batches))


class TestTornWrite:
    @given(BATCHES, st.data())
    @settings(max_examples=80, deadline=None)
    def test_an_interrupted_last_batch_disappears_whole(
        self, batches: list[list[NewFact]], data: st.DataObject
    ) -> None:
        """Whatever pages of the last write reached the disk, earlier batches stand, the last is gone."""
        header, buffer, borders = segment(batches)
        start, stop = borders[-2], borders[-1]
        cut = data.draw(st.integers(start, stop - 1))
        hole = data.draw(st.integers(1, stop - cut))
        spoiled = bytearray(buffer)
        spoiled[cut : cut + hole] = bytes(hole)
        if bytes(spoiled) == buffer:
            return
        end = tail(bytes(spoiled), header)
        assert end.ending is (Ending.TORN if any(spoiled[start:stop]) else Ending.CLEAN)
        assert (end.offset, end.batch) == (start, len(batches) - 1)


class TestDamage:
    @given(st.lists(st.lists(FACTS, min_size=1, max_size=3), min_size=3, max_size=5), st.data())
    @settings(max_examples=80, deadline=None)
    def test_a_flipped_byte_before_a_good_later_batch_is_damage(
        self, batches: list[list[NewFact]], data: st.DataObject
    ) -> None:
        header, buffer, borders = segment(batches)
        place = data.draw(st.integers(SEGMENT_HEADER, borders[-3] - 1))
        spoiled = bytearray(buffer)
        spoiled[place] ^= data.draw(st.integers(1, 255))
        end = tail(bytes(spoiled), header)
        hurt = max(number for number, border in enumerate(borders) if border <= place)
        if spoiled_is_padding(buffer, header, place):
            assert end.ending is Ending.CLEAN
        else:
            assert (end.ending, end.batch) == (Ending.DAMAGED, hurt)

    @pytest.mark.parametrize("place", range(SEGMENT_HEADER - 4))
    def test_a_header_with_any_flipped_byte_is_none(self, place: int) -> None:
        _, buffer, _ = segment([])
        spoiled = bytearray(buffer)
        spoiled[place] ^= 1
        assert decode_header(bytes(spoiled)) is None


def spoiled_is_padding(buffer: bytes, header: Header, place: int) -> bool:
    """Bytes between records carry nothing and are not read."""
    start = SEGMENT_HEADER
    for entry in entries(buffer, header):
        body = 56 + 40 + len(entry.fact.type) + len(entry.fact.data) + len(entry.fact.meta)
        if start + body <= place < entry.end:
            return True
        start = entry.end
    return False
