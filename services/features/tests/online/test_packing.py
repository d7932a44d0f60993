"""Rows online: packed so that newer compares greater, read back only by their own shape."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.features.online.packing import ORDERED_BYTES, Row, RowDamaged, pack, schema_id, unpack

times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
values = st.lists(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text())
SCHEMA = schema_id(["a", "b"])


@given(times, times, values)
def test_comes_back(event, known, told):
    row = Row(event=event, known=known, values=tuple(told))
    assert unpack(pack(row, SCHEMA), SCHEMA) == row


@given(st.tuples(times, times), st.tuples(times, times))
def test_bytes_compare_as_times_do(one, other):
    packed = [pack(Row(event=event, known=known, values=()), SCHEMA)[:ORDERED_BYTES] for event, known in (one, other)]
    assert (packed[0] < packed[1]) == (one < other)


@pytest.mark.parametrize(
    "data",
    [b"", b"short", pack(Row(event=datetime.now(UTC), known=datetime.now(UTC), values=()), b"x" * 8)],
    ids=["empty", "short", "another stamp"],
)
def test_another_shape_is_refused(data):
    with pytest.raises(RowDamaged):
        unpack(data, SCHEMA)
