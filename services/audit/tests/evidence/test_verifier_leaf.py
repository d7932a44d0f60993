"""The third telling of the leaf agrees with the first, and refuses what has two spellings."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.leaf import leaf_of, record_of
from letopis.audit.evidence.verifier.merkle import leaf_hash
from letopis.common.envelope import Record, record_line, record_to_json
from letopis.common.leaf import leaf_bytes
from letopis.common.serialization import canonical

GOLDEN = Path(__file__).parents[4] / "libs" / "common" / "tests" / "leaf_vectors.json"
VECTORS = json.loads(GOLDEN.read_text("utf-8"))

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
counts = st.integers(1, 2**63 - 1)
records = st.builds(
    Record,
    ledger=st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    position=counts,
    stream=names,
    version=counts,
    prev=st.integers(0, 2**63 - 1),
    event_id=st.uuids(),
    type=names,
    schema_version=st.integers(1, 2**31 - 1),
    recorded_at=st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    command_id=st.none() | st.uuids(),
    salt=st.binary(min_size=16, max_size=16),
    data=st.dictionaries(st.text(), st.text() | st.integers(-(2**53) + 1, 2**53 - 1)).map(canonical),
    meta=st.dictionaries(st.text(), st.text()).map(canonical),
)


class TestLeaf:
    @pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
    def test_is_the_golden_one(self, vector):
        leaf = leaf_of(vector["record"])
        assert leaf.decode() == vector["leaf"]
        assert leaf_hash(leaf).hex() == vector["leaf_hash"]

    @given(records)
    def test_is_the_one_the_writer_makes(self, record):
        read = record_of(record_line(record)[:-1])
        assert read == record_to_json(record)
        assert leaf_of(read) == leaf_bytes(record)
        assert leaf_of(read | {"data": "", "meta": ""}, record.data, record.meta) == leaf_bytes(record)

    @pytest.mark.parametrize(
        "change",
        [
            {"v": "2"},
            {"position": "01"},
            {"position": "0"},
            {"prev": "-1"},
            {"version": "\u0661"},
            {"stream": "a b"},
            {"stream": "a\nb"},
            {"stream": ""},
            {"type": "\u0442"},
            {"event_id": "01920000-0000-7000-8000-00000000000A"},
            {"event_id": ""},
            {"command_id": "none"},
            {"recorded_at": "2026-11-21T06:55:08.123Z"},
            {"recorded_at": "2026-11-21T06:55:08.123456+00:00"},
            {"salt": "00"},
            {"ledger": "Registry"},
        ],
    )
    def test_is_refused_for_another_spelling(self, change):
        with pytest.raises(Bad):
            leaf_of(VECTORS[0]["record"] | change)


class TestRecord:
    def test_in_another_spelling_is_refused(self):
        record = VECTORS[0]["record"]
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        assert record_of(line.encode()) == record
        for other in (
            json.dumps(record, ensure_ascii=False),
            json.dumps(dict(reversed(record.items())), ensure_ascii=False, separators=(",", ":")),
            line[:-1] + ',"more":""}',
            line[:-1] + ',"v":"1"}',
            line.replace('"v":"1"', '"v":1'),
            line.replace('"v":', '"\\u0076":'),
            "[]",
            "[" * 100_000,
            "nothing",
        ):
            with pytest.raises(Bad):
                record_of(other.encode())
        with pytest.raises(Bad):
            record_of(b"\xff")
