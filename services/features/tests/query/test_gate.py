"""The SQL gate against honest and nasty statements (A31, and the columns half of A29)."""

import pytest

from letopis.common.errors import Forbidden, Refused
from letopis.features.query.gate import (
    ColumnsDisagree,
    ColumnUnknown,
    FunctionNotAllowed,
    ReadOnly,
    SqlNotUnderstood,
    inspect,
    tables_of,
)

DICTIONARY = {
    "acc": {"account_id": "BIGINT", "full_name": "VARCHAR", "age": "INTEGER", "born": "DATE", "tags": "VARCHAR[]"},
    "pay": {"account_id": "BIGINT", "month": "DATE", "status": "INTEGER", "bill": "DOUBLE"},
}

HONEST = [
    ("SELECT age FROM acc", {"acc": ("age",)}),
    ("SELECT count(*) FROM acc", {"acc": ()}),
    ("select * from pay", {"pay": ("account_id", "bill", "month", "status")}),
    ("FROM acc SELECT age", {"acc": ("age",)}),
    ('SELECT "AGE" FROM "ACC"', {"acc": ("age",)}),
    ("SELECT * EXCLUDE (full_name, tags) FROM acc", {"acc": ("account_id", "age", "born")}),
    (
        "SELECT status FROM acc JOIN pay USING (account_id)",
        {"acc": ("account_id",), "pay": ("account_id", "status")},
    ),
    (
        "SELECT a.age FROM acc a WHERE EXISTS (SELECT 1 FROM pay p WHERE p.account_id = a.account_id)",
        {"acc": ("account_id", "age"), "pay": ("account_id",)},
    ),
    (
        """SELECT account_id, month AS event_time, avg(bill) OVER w AS mean_bill, row_number() OVER w AS n FROM pay
        WINDOW w AS (PARTITION BY account_id ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)""",
        {"pay": ("account_id", "bill", "month")},
    ),
    ("WITH x AS (SELECT age, born FROM acc) SELECT age FROM x WHERE year(born) > 1980", {"acc": ("age", "born")}),
    (
        "SELECT age FROM acc UNION ALL SELECT status FROM pay",
        {"acc": ("age",), "pay": ("status",)},
    ),
    (
        """SELECT CASE WHEN bill > 0 THEN ln(bill) ELSE 0 END AS l, coalesce(status, -1) AS s,
        date_trunc('month', month) AS m, bill / nullif(status, 0) AS q, month + INTERVAL 1 MONTH AS next FROM pay""",
        {"pay": ("bill", "month", "status")},
    ),
    (
        "SELECT age FROM acc QUALIFY row_number() OVER (PARTITION BY full_name ORDER BY born) = 1",
        {"acc": ("age", "born", "full_name")},
    ),
]

NASTY = [
    ("DROP TABLE acc", ReadOnly),
    ("INSERT INTO acc (age) VALUES (1) RETURNING *", ReadOnly),
    ("UPDATE acc SET age = 1", ReadOnly),
    ("DELETE FROM acc", ReadOnly),
    ("CREATE TABLE x AS SELECT * FROM acc", ReadOnly),
    ("COPY acc TO 'x.csv'", ReadOnly),
    ("PRAGMA database_list", ReadOnly),
    ("ATTACH 'x.db'", ReadOnly),
    ("SET threads = 8", ReadOnly),
    ("SELECT 1; DROP TABLE acc", ReadOnly),
    ("SELECT age FROM acc; SELECT full_name FROM acc", ReadOnly),
    ("", ReadOnly),
    ("WITH x AS (SELECT 1) DELETE FROM acc", ReadOnly),
    ("SELEC age FROM acc", Refused | Forbidden),
    ("SELECT * FROM '/etc/passwd'", Refused),
    ("SELECT * FROM read_text('/etc/passwd')", FunctionNotAllowed),
    ("SELECT * FROM read_csv('/etc/passwd')", FunctionNotAllowed),
    ("SELECT * FROM read_parquet('x.parquet')", FunctionNotAllowed),
    ("SELECT * FROM glob('/*')", FunctionNotAllowed),
    ("SELECT * FROM query('SELECT full_name FROM acc')", FunctionNotAllowed),
    ("SELECT * FROM query_table('acc')", FunctionNotAllowed),
    ("SELECT * FROM duckdb_settings()", FunctionNotAllowed),
    ("SELECT * FROM information_schema.tables", FunctionNotAllowed),
    ("SELECT age FROM memory.main.acc", FunctionNotAllowed),
    ("SELECT getenv('HOME')", FunctionNotAllowed),
    ("SELECT current_setting('home_directory')", FunctionNotAllowed),
    ("SELECT random() FROM acc", FunctionNotAllowed),
    ("SELECT now() FROM acc", FunctionNotAllowed),
    ("SELECT current_date FROM acc", FunctionNotAllowed),
    ("SELECT current_timestamp", FunctionNotAllowed),
    ("SELECT uuid()", FunctionNotAllowed),
    ("SELECT nextval('s')", FunctionNotAllowed),
    ("SELECT version()", FunctionNotAllowed),
    ("SELECT current_user", FunctionNotAllowed),
    ("SELECT session_user", FunctionNotAllowed),
    ("SELECT to_json(acc) FROM acc", FunctionNotAllowed),
    ("SELECT hash(acc) FROM acc", FunctionNotAllowed),
    ("SELECT COLUMNS('f.*') FROM acc", Refused),
    ("SELECT * LIKE 'f%' FROM acc", Refused),
    ("SELECT acc FROM acc", Refused),
    ("SELECT age FROM acc USING SAMPLE 10%", FunctionNotAllowed),
    ("PIVOT acc ON age USING count(*)", Refused | Forbidden),
    ("UNPIVOT pay ON status, bill", Refused | Forbidden),
    ("SUMMARIZE acc", Refused | Forbidden),
    ("DESCRIBE acc", ReadOnly),
    ("SHOW TABLES", ReadOnly),
    ("SELECT rowid FROM acc", ColumnUnknown),
    ("SELECT salary FROM acc", ColumnUnknown),
    ("SELECT age FROM ledger", ColumnUnknown),
    ("SELECT $1 FROM acc", Refused | Forbidden),
    ("SELECT ? FROM acc", Refused),
    ("WITH x AS (SELECT full_name FROM acc) SELECT age FROM acc", ColumnsDisagree),
    ("WITH acc AS (SELECT full_name AS age FROM acc) SELECT age FROM acc", Refused),
    ("SELECT age FROM acc WHERE age = (SELECT max(age) FROM range(10))", FunctionNotAllowed),
    ("SELECT unnest(tags) FROM acc", FunctionNotAllowed),
    ("SELECT 1 " + "+ 1" * 20_000, SqlNotUnderstood),
]


@pytest.mark.parametrize(("sql", "columns"), HONEST)
def test_an_honest_statement_passes_with_exactly_its_columns(sql, columns):
    seen = inspect(sql, DICTIONARY)
    assert seen.parsed == columns
    assert seen.planned == columns


@pytest.mark.parametrize(("sql", "refusal"), NASTY)
def test_a_nasty_statement_is_refused(sql, refusal):
    with pytest.raises((Refused, Forbidden)) as caught:
        inspect(sql, DICTIONARY)
    assert isinstance(caught.value, refusal), repr(caught.value)


def test_spelling_does_not_change_the_hash_but_meaning_does():
    one = inspect("SELECT age, born FROM acc WHERE age > 18", DICTIONARY)
    same = inspect("select\n acc.AGE,  born from acc -- young\n where age>18", DICTIONARY)
    other = inspect("SELECT age, born FROM acc WHERE age > 21", DICTIONARY)
    assert one.sql_hash == same.sql_hash
    assert one.sql_hash != other.sql_hash


def test_outputs_are_named_in_order():
    assert inspect("SELECT born, age + 1 AS older FROM acc", DICTIONARY).outputs == ("born", "older")


def test_tables_are_found_without_a_dictionary():
    assert tables_of("WITH x AS (SELECT * FROM pay) SELECT * FROM x JOIN acc USING (account_id)") == ("acc", "pay")
