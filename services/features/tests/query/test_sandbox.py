"""The sandbox holds what it was given and reaches nothing else."""

import pyarrow as pa
import pytest

from letopis.features.query.sandbox import Sandbox, SqlFailed


@pytest.fixture
def sandbox():
    with Sandbox({"acc": pa.table({"account_id": [1, 2], "age": [30, 40]})}) as opened:
        yield opened


def test_reads_its_tables(sandbox):
    assert sandbox.query("SELECT sum(age) AS s FROM acc").to_pylist() == [{"s": 70}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY acc TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "SET enable_external_access = true",
        "SET threads = 8",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT secret FROM pa",
    ],
)
def test_reaches_nothing_else(sandbox, sql):
    with pytest.raises(SqlFailed):
        sandbox.query(sql)


def test_a_python_variable_is_no_table(sandbox):
    hidden = pa.table({"x": [1]})
    with pytest.raises(SqlFailed):
        sandbox.query("SELECT * FROM hidden")
    assert hidden.num_rows == 1


def test_keeps_results(sandbox):
    sandbox.keep("old", "SELECT account_id FROM acc WHERE age > 35")
    assert sandbox.query("SELECT * FROM old").to_pylist() == [{"account_id": 2}]
    assert sandbox.columns("old") == {"account_id": "BIGINT"}
