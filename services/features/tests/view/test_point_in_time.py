"""The point-in-time join against a brute-force twin that reads the definition aloud."""

from datetime import datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.features.query.sandbox import Sandbox
from letopis.features.view.point_in_time import Joined, answered, newest, row_numbered

START = datetime(2005, 4, 1)  # noqa: DTZ001 DuckDB's TIMESTAMP has no zone; everything here is UTC


def day(number):
    return None if number is None else START + timedelta(days=number)


rows = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 12), st.none() | st.integers(0, 15), st.none() | st.integers(0, 9)),
    max_size=14,
)
spines = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 15)), min_size=1, max_size=8)


def twin(history, key, at, ttl, *, mode):
    """The definition, row by row."""
    found = None
    for row in history:
        whose, event, known, _ = row
        known = event if known is None else known
        available = event if mode == "event" else max(event, known)
        if whose != key or available > at:
            continue
        order = (event, known, -1 if row[3] is None else row[3])
        if found is None or order > found[0]:
            found = (order, row)
    if found is None or (ttl is not None and found[1][1] <= at - ttl):
        return None
    return found[1]


def opened(history, spine):
    return Sandbox(
        {
            "v": pa.table(
                {
                    "account": pa.array([row[0] for row in history], pa.int64()),
                    "event": pa.array([day(row[1]) for row in history], pa.timestamp("us")),
                    "known": pa.array([day(row[2]) for row in history], pa.timestamp("us")),
                    "x": pa.array([row[3] for row in history], pa.int64()),
                }
            ),
            "asked": pa.table(
                {
                    "account": pa.array([key for key, _ in spine], pa.int64()),
                    "at": pa.array([day(at) for _, at in spine], pa.timestamp("us")),
                }
            ),
        }
    )


def view(ttl, *, known="known"):
    seconds = None if ttl is None else ttl * 86400
    return Joined(table="v", key="account", event_time="event", known_time=known, ttl_seconds=seconds, features=("x",))


@settings(max_examples=150, deadline=None)
@given(rows, spines, st.none() | st.integers(1, 8), st.sampled_from(["source", "event"]))
def test_equals_the_twin(history, spine, ttl, mode):
    with opened(history, spine) as sandbox:
        sandbox.keep("spine", row_numbered(["account", "at"], "asked", key="account", moment="at"))
        got = sandbox.query(
            f"SELECT s.__key, s.__at, p.* FROM ({answered(view(ttl), spine='spine', mode=mode, prefix='f')}) p "
            f"JOIN spine s USING (__row) ORDER BY __row"
        ).to_pylist()
    assert len(got) == len(spine)
    for row, (key, at) in zip(got, sorted(spine), strict=True):
        assert (row["__key"], row["__at"]) == (key, day(at))
        expected = twin(history, key, at, ttl, mode=mode)
        assert row["f0"] == (expected[3] if expected else None)
        by_event = twin(history, key, at, ttl, mode="event")
        late = by_event is not None and max(by_event[1], by_event[1] if by_event[2] is None else by_event[2]) > at
        assert row["__leaks"] == int(late)


@settings(max_examples=50, deadline=None)
@given(rows, st.integers(0, 15))
def test_the_newest_row_of_each_key_is_what_a_question_at_that_moment_gets(history, at):
    moment = f"TIMESTAMP '{day(at):%Y-%m-%d %H:%M:%S}'"
    with opened(history, [(1, 0)]) as sandbox:
        got = sandbox.query(newest(view(None), moment=moment)).to_pylist()
    expected = {key: twin(history, key, at, None, mode="source") for key in (1, 2, 3)}
    assert {row["__key"]: row["x"] for row in got} == {key: row[3] for key, row in expected.items() if row}


def test_a_value_that_arrived_late_is_not_seen_before_and_counts_as_a_leak():
    history = [(1, 0, 0, 7), (1, 5, 9, 8)]  # true on day 5, known on day 9
    with opened(history, [(1, 6), (1, 9)]) as sandbox:
        sandbox.keep("spine", row_numbered(["account", "at"], "asked", key="account", moment="at"))
        got = sandbox.query(
            f"SELECT * FROM ({answered(view(None), spine='spine', mode='source', prefix='f')}) ORDER BY __row"
        ).to_pylist()
    assert [(row["f0"], row["__leaks"]) for row in got] == [(7, 1), (8, 0)]


def test_a_view_without_known_time_is_known_when_it_happens():
    with opened([(1, 3, 10, 5)], [(1, 4)]) as sandbox:
        sandbox.keep("spine", row_numbered(["account", "at"], "asked", key="account", moment="at"))
        got = sandbox.query(answered(view(None, known=None), spine="spine", mode="source", prefix="f")).to_pylist()
    assert (got[0]["f0"], got[0]["__leaks"]) == (5, 0)
