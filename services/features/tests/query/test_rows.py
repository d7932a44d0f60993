"""Conditions on rows: an unknown one reads nothing, a known one shows what a loop over the rows would."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.features.query.rows import Compared, ConditionUnknown, Joined, columns_of, imposed, parse, seen

NAMES = ("north", "east", "south' OR '1'='1", "")


def obligation(where, source="panel"):
    return {"type": "rows", "source": source, "where": where}


conditions = st.recursive(
    st.one_of(
        st.builds(
            lambda values: {"op": "in", "column": "branch", "values": values},
            st.lists(st.sampled_from(NAMES), max_size=3),
        ),
        st.builds(
            lambda op, value: {"op": op, "column": "age", "value": value},
            st.sampled_from(["=", "<", "<=", ">", ">="]),
            st.integers(-2, 5),
        ),
    ),
    lambda inner: st.builds(
        lambda op, parts: {"op": op, "of": parts},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
rows = st.lists(
    st.fixed_dictionaries({"branch": st.sampled_from([*NAMES, None]), "age": st.none() | st.integers(-2, 5)}),
    max_size=12,
)
OPS = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(row, tree):
    """The twin: one row, one tree, no library."""
    if "of" in tree:
        return (all if tree["op"] == "and" else any)(holds(row, one) for one in tree["of"])
    value = row[tree["column"]]
    if value is None:
        return False
    return value in tree["values"] if tree["op"] == "in" else OPS[tree["op"]](value, tree["value"])


@given(rows, st.lists(conditions, min_size=1, max_size=2))
def test_shows_what_a_loop_over_the_rows_would(rows, trees):
    table = pa.Table.from_pylist(rows, schema=pa.schema([("branch", pa.string()), ("age", pa.int64())]))
    found = imposed(map(obligation, trees))["panel"]
    assert seen(table, found).to_pylist() == [row for row in rows if all(holds(row, tree) for tree in trees)]


@pytest.mark.parametrize(
    "tree",
    [
        None,
        "age = 1",
        {},
        {"op": "like", "column": "branch", "value": "%"},
        {"op": "not", "of": []},
        {"op": "and", "of": []},
        {"op": "=", "column": "age", "value": None},
        {"op": "=", "column": "age", "value": 1, "sql": "1=1"},
        {"op": "in", "column": "age", "values": [[1]]},
        {"op": "in", "column": 1, "values": []},
    ],
)
def test_what_is_no_condition_reads_nothing(tree):
    with pytest.raises(ConditionUnknown):
        parse(tree)


def test_an_endless_tree_reads_nothing():
    tree = {"op": "=", "column": "age", "value": 1}
    for _ in range(10):
        tree = {"op": "and", "of": [tree]}
    with pytest.raises(ConditionUnknown):
        parse(tree)


def test_a_value_of_another_kind_reads_nothing():
    table = pa.table({"age": [1, 2]})
    with pytest.raises(ConditionUnknown):
        seen(table, [Compared(column="age", op="=", values=("one",))])


def test_obligations_of_other_types_are_others_business():
    assert imposed([{"type": "column", "source": "panel", "column": "age", "treatment": "clear"}]) == {}
    with pytest.raises(ConditionUnknown):
        imposed([{"type": "rows", "source": "panel"}])


def test_names_the_columns_it_looks_at():
    joined = Joined(
        op="or", of=(Compared(column="age", op="<", values=(1,)), Compared(column="branch", op="in", values=()))
    )
    assert columns_of([joined]) == {"age", "branch"}
