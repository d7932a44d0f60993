"""Lineage: what a feature is made of, and what decides its rows (class inheritance)."""

import pytest

from letopis.features.query.gate import inspect
from letopis.features.view.lineage import lineage

DICTIONARY = {
    "acc": {"account_id": "BIGINT", "email": "VARCHAR", "age": "INTEGER"},
    "pay": {"account_id": "BIGINT", "month": "DATE", "status": "INTEGER", "bill": "DOUBLE"},
}
KEY = "pay.account_id"


def of(sql):
    return {name: set(found) for name, found in lineage(sql, DICTIONARY, inspect(sql, DICTIONARY).parsed).items()}


def test_values_come_from_their_columns():
    assert of("SELECT account_id, bill + status AS load, 1 AS one FROM pay") == {
        "account_id": {KEY},
        "load": {"pay.bill", "pay.status"},
        "one": set(),
    }


def test_filters_and_joins_reach_every_output():
    found = of("SELECT p.bill FROM pay p JOIN acc a ON a.account_id = p.account_id WHERE a.email LIKE '%@x.org'")
    assert found == {"bill": {"pay.bill", KEY, "acc.account_id", "acc.email"}}


def test_a_window_is_part_of_the_value():
    found = of("SELECT month, avg(bill) OVER (PARTITION BY account_id ORDER BY month) AS m FROM pay")
    assert found["m"] == {"pay.bill", KEY, "pay.month"}


def test_a_name_does_not_hide_the_origin():
    found = of("WITH x AS (SELECT account_id AS k, email AS harmless FROM acc) SELECT k, harmless AS v FROM x")
    assert found == {"k": {"acc.account_id"}, "v": {"acc.email"}}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT account_id, sum(bill) OVER w AS s FROM pay WINDOW w AS (PARTITION BY account_id ORDER BY month)",
        "SELECT status, (SELECT max(email) FROM acc) AS s FROM pay",
        "SELECT s FROM (SELECT bill AS s, status AS t FROM pay) WHERE t > 0",
        "SELECT bill AS s FROM pay UNION ALL SELECT age FROM acc",
        "SELECT CASE WHEN email = 'x' THEN 1 END AS s FROM acc",
    ],
)
def test_where_the_way_is_not_clear_nothing_is_left_out(sql):
    reads = {f"{table}.{column}" for table, columns in inspect(sql, DICTIONARY).parsed.items() for column in columns}
    assert of(sql)["s"] == reads
