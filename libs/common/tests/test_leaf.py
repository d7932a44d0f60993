"""Golden vectors of the leaf: bytes and hashes that MUST never change."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.envelope import (
    Record,
    record_from_json,
    record_line,
    record_to_json,
    records_of_lines,
    time_of,
    time_text,
)
from letopis.common.leaf import leaf_bytes, leaf_hash

VECTORS = json.loads((Path(__file__).parent / "leaf_vectors.json").read_text("utf-8"))

RECORD = Record(
    ledger="registry",
    position=1042,
    stream="promotion:0190f5a2",
    version=3,
    prev=1040,
    event_id=UUID("01920000-0000-7000-8000-000000000001"),
    type="registry.promotion.approved",
    schema_version=1,
    recorded_at=datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC),
    command_id=UUID("01920000-0000-7000-8000-000000000002"),
    salt=bytes(range(16)),
    data='{"comment":"одобряю","person":"Boris"}'.encode(),
    meta=b'{"actor":{"issuer":"","login":"boris","person":"boris","service":""}}',
)


class TestLeaf:
    @pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
    def test_golden_vector(self, vector):
        record = record_from_json(vector["record"])
        assert leaf_bytes(record).decode() == vector["leaf"]
        assert leaf_hash(record).hex() == vector["leaf_hash"]

    def test_is_written_out_by_hand_the_same(self):
        commitment = sha256(b"\x02" + RECORD.salt + RECORD.data).hexdigest()
        meta = sha256(b"\x03" + RECORD.salt + RECORD.meta).hexdigest()
        leaf = (
            '{"command_id":"01920000-0000-7000-8000-000000000002","commitment":"' + commitment + '",'
            '"event_id":"01920000-0000-7000-8000-000000000001","ledger":"registry","meta":"' + meta + '",'
            '"position":"1042","prev":"1040","recorded_at":"2026-11-21T06:55:08.123456Z","schema_version":"1",'
            '"stream":"promotion:0190f5a2","type":"registry.promotion.approved","v":"1","version":"3"}'
        )
        assert leaf_bytes(RECORD).decode() == leaf
        assert leaf_hash(RECORD) == sha256(b"\x00" + leaf.encode()).digest()

    def test_spells_an_absent_command_as_empty_text(self):
        assert b'"command_id":""' in leaf_bytes(replace(RECORD, command_id=None))

    def test_spells_time_in_utc_with_six_digits(self):
        moscow = datetime(2026, 11, 21, 9, 55, 8, tzinfo=timezone(timedelta(hours=3)))
        assert b'"recorded_at":"2026-11-21T06:55:08.000000Z"' in leaf_bytes(replace(RECORD, recorded_at=moscow))

    @pytest.mark.parametrize(
        "change",
        [
            {"ledger": "access"},
            {"position": 1043},
            {"stream": "promotion:x"},
            {"version": 4},
            {"prev": 0},
            {"event_id": UUID(int=1)},
            {"type": "registry.promotion.rejected"},
            {"schema_version": 2},
            {"recorded_at": datetime(2026, 11, 21, 6, 55, 8, 123457, tzinfo=UTC)},
            {"command_id": None},
            {"salt": bytes(16)},
            {"data": RECORD.data + b" "},
            {"meta": RECORD.meta + b" "},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_every_stored_column_counts(self, change):
        assert leaf_hash(replace(RECORD, **change)) != leaf_hash(RECORD)


class TestRecord:
    def test_travels_as_strings_and_comes_back(self):
        document = record_to_json(RECORD)
        assert all(isinstance(value, str) for value in document.values())
        assert record_from_json(json.loads(record_line(RECORD))) == RECORD

    @given(st.binary(min_size=16, max_size=16), st.integers(1, 2**62), st.datetimes(min_value=datetime(1970, 1, 1)))  # noqa: DTZ001 hypothesis wants it naive
    def test_any_record_comes_back(self, salt, position, moment):
        record = replace(RECORD, salt=salt, position=position, recorded_at=moment.replace(tzinfo=UTC))
        assert record_from_json(json.loads(record_line(record))) == record
        assert records_of_lines([record_line(record), record_line(RECORD)]) == [record, RECORD]

    @pytest.mark.parametrize(
        "text",
        [
            *("2026-11-21T20:38:43.848548", "2026-11-21T20:38:43.848548+00:00", "2026-11-21 20:38:43.848548Z"),
            *("2026-11-21T20:38:43Z", "2026-11-21T20:38:43.84854Z", "2026-W47-6T20:38:43.848548Z", "20261121T203843Z"),
            *("2026-11-21T20:38:43,848548Z", "2026-13-21T20:38:43.848548Z", "٢026-11-21T20:38:43.848548Z", ""),
        ],
    )
    def test_a_moment_has_one_spelling(self, text):
        """Two spellings of one moment would be two leaves of one fact."""
        assert time_text(time_of("2026-11-21T20:38:43.848548Z")) == "2026-11-21T20:38:43.848548Z"
        with pytest.raises(ValueError, match=r"time|month"):
            time_of(text)
