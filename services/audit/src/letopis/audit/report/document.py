"""A report's exact bytes, pure: a function of facts, signed heads, a definition and this code alone.

Every check is shown: passed, with its gaps, or not applicable with the reason. A check with no evidence is a gap.
"""

import csv
import io
import json
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from .definition import Check, Definition, Section
from .tables import Record, Row, Tables, tables_of

FORMAT = "letopis-report-v1"
CODE = ("definition.py", "document.py", "expression.py", "tables.py")
# A reader needs some of the rows that break a rule, not a million; the count is always told whole.
NAMED = 200

Heads = Mapping[str, Mapping[str, Any]]


def build(
    definition: Definition,
    facts: Mapping[str, Iterable[Record]],
    heads: Heads,
    asked: Mapping[str, Any] | None = None,
) -> bytes:
    """The report. `facts` by ledger in the order of positions, other types than those it reads change nothing;
    `heads` by ledger ({position, root} each) say how far they reach; `asked` is the scope and the period.
    """
    scope = {name: value for name, value in sorted((asked or {}).items()) if value}
    tables = tables_of(definition, facts, heads, scope)
    sections = [_section(one, tables, scope) for one in definition.sections]
    checks = [_check(one, tables, scope) for one in definition.checks]
    env = {"tables": tables, "asked": scope}
    document = {
        "format": FORMAT,
        "report": {
            "type": definition.type,
            "schema_version": definition.schema_version,
            "title": definition.title,
            "lead": definition.lead,
            "jurisdiction": list(definition.jurisdiction),
            "definition_sha256": definition.sha256,
            "generator_sha256": generator(definition),
            "main": definition.main,
        },
        "scope": scope,
        "as_of": {ledger: _as_of(head) for ledger, head in sorted(heads.items())},
        "redaction": definition.redaction,
        "rows": next(len(one["rows"]) for one in sections if one["id"] == definition.main),
        "summary": {
            "checks": {state: sum(one["state"] == state for one in checks) for state in STATES},
            "numbers": [
                {"id": one.id, "title": one.title, "kind": one.kind, "value": one.value(env)}
                for one in definition.numbers
            ],
        },
        "checks": checks,
        "sections": sections,
        "figures": [
            {"section": one.section, "title": one.title, "label": one.label, "value": one.value, "kind": one.kind}
            for one in definition.figures
        ],
        "sources": list(definition.sources),
    }
    # On one line: with an indent Python's encoder is its slow one, and most of a large report's time.
    return (json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n").encode()


STATES = ("pass", "gap", "not_applicable")


def generator(definition: Definition) -> str:
    """The SHA-256 over the code and the definition: what made the report."""
    told = sha256(b"letopis-generator-v1\n")
    for name in CODE:
        source = pkgutil.get_data(__package__ or "reports", name) or b""
        told.update(f"{name} {sha256(source).hexdigest()}\n".encode())
    told.update(f"definition {definition.sha256}\n".encode())
    return told.hexdigest()


def table(report: bytes, section: str = "") -> bytes:
    """One section of the report as CSV (RFC 4180), the main one unless named; made of the JSON, which has authority."""
    document = json.loads(report)
    wanted = section or document["report"]["main"]
    told = next(one for one in document["sections"] if one["id"] == wanted)
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow([column["id"] for column in told["columns"]])
    for row in told["rows"]:
        rows.writerow([_cell(value) for value in row])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "; ".join(map(str, value))
        case str() if value[:1] in ("=", "+", "-", "@", "\t", "\r"):
            # A spreadsheet would take it for a formula.
            return f"'{value}"
        case _:
            return str(value)


def _as_of(head: Mapping[str, Any]) -> dict[str, Any]:
    return {**head, "first_position": 1 if head["position"] else 0, "gaps": 0}


def _section(one: Section, tables: Tables, asked: Mapping[str, Any]) -> dict[str, Any]:
    rows = [row for row in tables.rows(one.table) if _true(one.where, row, tables, asked)]
    if one.order is not None:
        order = one.order
        rows.sort(key=lambda row: _sortable(order({**row, "tables": tables, "asked": asked})))
    else:
        rows.sort(key=lambda row: _sortable(row["key"]))
    return {
        "id": one.id,
        "title": one.title,
        "lead": one.lead,
        "empty": one.empty,
        "columns": [{"id": column.id, "title": column.title, "kind": column.kind} for column in one.columns],
        "rows": [[row.get(column.id) for column in one.columns] for row in rows],
    }


def _check(one: Check, tables: Tables, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its state; the rows that break it are named with the place of the fact that says so."""
    judged = [row for row in tables.rows(one.table) if _true(one.applies, row, tables, asked)]
    broken = [row for row in judged if not one.holds({**row, "tables": tables, "asked": asked})]
    broken.sort(key=lambda row: _sortable(row["key"]))
    state = "gap" if broken or (one.needed and not judged) else "pass" if judged else "not_applicable"
    return {
        "id": one.id,
        "title": one.title,
        "state": state,
        "of": len(judged),
        "gaps": len(broken),
        "named": [{"name": str(row.get(one.name)), "place": row.get("place")} for row in broken[:NAMED]],
        "why": one.why if not judged else None,
        "sources": list(one.sources),
    }


def _true(condition: Any, row: Row, tables: Tables, asked: Mapping[str, Any]) -> bool:
    return condition is None or bool(condition({**row, "tables": tables, "asked": asked}))


def _sortable(value: Any) -> tuple[int, float, str]:
    """Numbers before texts before nothing, so that any column can be sorted by."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    if value is None:
        return (2, 0.0, "")
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
