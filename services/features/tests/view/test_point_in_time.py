"""The point-in-time join against a brute-force twin that reads the definition aloud."""

from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.features.query.sandbox import Sandbox
from letopis.features.view.point_in_time import Joined, answered, newest, row_numbered

START = datetime(2005, 4, 1)  # noqa: DTZ001 DuckDB's TIMESTAMP has no zone; everything here is UTC
NUMBERS = count()


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


@pytest.fixture(scope="module")
def sandbox():
    """One for all questions here: they are put to tables of their own."""
    with Sandbox({}) as made:
        yield made


def placed(sandbox, columns, rows):
    """The name of a new table; the first column has no NULL."""
    name, key = f"t{next(NUMBERS)}", next(iter(columns))
    values = [", ".join("NULL" if one is None else f"'{one}'" for one in row) for row in [[None] * len(columns), *rows]]
    typed = ", ".join(f"CAST({column} AS {type}) AS {column}" for column, type in columns.items())
    told = ", ".join(f"({row})" for row in values)
    sandbox.keep(name, f"SELECT {typed} FROM (VALUES {told}) AS t({', '.join(columns)}) WHERE {key} NOTNULL")
    return name


def history_of(sandbox, history):
    columns = {"account": "BIGINT", "event": "TIMESTAMP", "known": "TIMESTAMP", "x": "BIGINT"}
    return placed(sandbox, columns, [(key, day(event), day(known), x) for key, event, known, x in history])


def asked(sandbox, spine):
    """The name of a numbered spine."""
    name = placed(sandbox, {"account": "BIGINT", "asked": "TIMESTAMP"}, [(key, day(at)) for key, at in spine])
    sandbox.keep(f"spine_{name}", row_numbered(["account", "asked"], name, key="account", moment="asked"))
    return f"spine_{name}"


def view(table, ttl, *, known="known"):
    seconds = None if ttl is None else ttl * 86400
    return Joined(
        table=table, key="account", event_time="event", known_time=known, ttl_seconds=seconds, features=("x",)
    )


@settings(max_examples=150, deadline=None)
@given(rows, spines, st.none() | st.integers(1, 8), st.sampled_from(["source", "event"]))
def test_equals_the_twin(sandbox, history, spine, ttl, mode):
    table, questions = history_of(sandbox, history), asked(sandbox, spine)
    got = sandbox.query(
        f"SELECT s.__key, s.__at, p.* FROM ({answered(view(table, ttl), spine=questions, mode=mode, prefix='f')}) p "
        f"JOIN {questions} s USING (__row) ORDER BY __row"
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
def test_the_newest_row_of_each_key_is_what_a_question_at_that_moment_gets(sandbox, history, at):
    moment = f"TIMESTAMP '{day(at):%Y-%m-%d %H:%M:%S}'"
    got = sandbox.query(newest(view(history_of(sandbox, history), None), moment=moment)).to_pylist()
    expected = {key: twin(history, key, at, None, mode="source") for key in (1, 2, 3)}
    assert {row["__key"]: row["x"] for row in got} == {key: row[3] for key, row in expected.items() if row}


def test_a_value_that_arrived_late_is_not_seen_before_and_counts_as_a_leak(sandbox):
    history = [(1, 0, 0, 7), (1, 5, 9, 8)]  # true on day 5, known on day 9
    one = view(history_of(sandbox, history), None)
    spine = asked(sandbox, [(1, 6), (1, 9)])
    got = sandbox.query(
        f"SELECT * FROM ({answered(one, spine=spine, mode='source', prefix='f')}) ORDER BY __row"
    ).to_pylist()
    assert [(row["f0"], row["__leaks"]) for row in got] == [(7, 1), (8, 0)]


def test_a_view_without_known_time_is_known_when_it_happens(sandbox):
    one = view(history_of(sandbox, [(1, 3, 10, 5)]), None, known=None)
    got = sandbox.query(answered(one, spine=asked(sandbox, [(1, 4)]), mode="source", prefix="f")).to_pylist()
    assert (got[0]["f0"], got[0]["__leaks"]) == (5, 0)
