"""Facts become the tables of a report, pure: one pass over the records, then what is derived from whole tables."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .definition import Definition, Rule, TableDef

Record = Mapping[str, str]
Row = dict[str, Any]


class Tables:
    """The rows by table and key, and indexes over columns made when first asked for."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, Row]] = {}
        self._indexes: dict[tuple[str, str], dict[Any, list[Row]]] = {}

    def of(self, table: str) -> dict[Any, Row]:
        return self._rows.setdefault(table, {})

    def rows(self, table: str) -> list[Row]:
        return list(self._rows.get(table, {}).values())

    def row(self, table: str, key: Any) -> Row | None:
        return self._rows.get(table, {}).get(key)

    def index(self, table: str, column: str) -> dict[Any, list[Row]]:
        """Rows by the value of a column."""
        found = self._indexes.get((table, column))
        if found is None:
            found = self._indexes[table, column] = {}
            for row in self.rows(table):
                value = row.get(column)
                for one in value if isinstance(value, list) else [value]:
                    found.setdefault(one, []).append(row)
        return found

    def forget(self, table: str) -> None:
        """Indexes of a table whose rows have changed."""
        self._indexes = {key: one for key, one in self._indexes.items() if key[0] != table}


class Circumstances:
    """What surrounds a fact, as expressions ask for it; its meta is read only then."""

    __slots__ = ("_meta", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._meta: dict[str, Any] | None = None

    def get(self, name: str) -> Any:
        match name:
            case "place":
                return f"{self.record['ledger']}/{self.record['position']}"
            case "at":
                return self.record["recorded_at"]
            case "type" | "ledger" | "stream" | "event_id":
                return self.record[name]
            case "by":
                actor = self._about.get("actor") or {}
                return actor.get("person") or actor.get("service")
            case "login":
                return (self._about.get("actor") or {}).get("login")
            case "purpose":
                return self._about.get("purpose")
            case "authorization":
                return self._about.get("authorization") or {}
            case _:
                return None

    @property
    def _about(self) -> dict[str, Any]:
        if self._meta is None:
            self._meta = json.loads(self.record["meta"])
        return self._meta


def tables_of(
    definition: Definition,
    facts: Mapping[str, Iterable[Record]],
    heads: Mapping[str, Mapping[str, Any]],
    asked: Mapping[str, Any],
) -> Tables:
    """All tables. Ledgers are read in the order of their names, each in the order of its positions."""
    tables = Tables()
    rules: dict[str, list[tuple[dict[Any, Row], Rule]]] = {}
    for table in definition.tables:
        for rule in table.rules:
            rules.setdefault(rule.fact, []).append((tables.of(table.name), rule))
    for ledger in sorted(facts):
        for record in facts[ledger]:
            for rows, rule in rules.get(record["type"], ()):
                _apply(rows, rule, record, tables, asked)
    for table in definition.tables:
        _complete(table, tables, heads, asked)
    return tables


def _apply(rows: dict[Any, Row], rule: Rule, record: Record, tables: Tables, asked: Mapping[str, Any]) -> None:
    env: dict[str, Any] = json.loads(record["data"])
    env |= {"fact": Circumstances(record), "tables": tables, "asked": asked}
    key = rule.key(env)
    env["row"] = row = rows.get(key) or {}
    if rule.when is not None and not rule.when(env):
        return
    if not row:
        rows[key] = row
        row["key"] = key
    for column, told in rule.put.items():
        row[column] = told(env)
    for column, told in rule.once.items():
        if row.get(column) is None:
            row[column] = told(env)
    for column, told in rule.add.items():
        held = row.setdefault(column, [])
        if (value := told(env)) not in held:
            held.append(value)
    for column in rule.count:
        row[column] = row.get(column, 0) + 1


def _complete(
    table: TableDef, tables: Tables, heads: Mapping[str, Mapping[str, Any]], asked: Mapping[str, Any]
) -> None:
    rows = tables.of(table.name)
    env = {"tables": tables, "asked": asked}
    if table.heads:
        rows |= {ledger: {"key": ledger, "ledger": ledger, **head} for ledger, head in sorted(heads.items())}
    if table.group and table.by is not None:
        for member in tables.rows(table.group):
            if (key := table.by({**member, **env})) is not None:
                rows.setdefault(key, {"key": key, "members": []})["members"].append(member)
    for column, told in table.derive.items():
        for row in rows.values():
            row[column] = told({**row, **env})
        tables.forget(table.name)
