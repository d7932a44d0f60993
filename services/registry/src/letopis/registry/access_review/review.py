"""The review, pure: principals and the policy's tables become rows, one a person."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

EVERYBODY = "*"
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("person", "logins", "kind", "organisation", "until", "roles", "groups", "conflicts", "notes", "actions")


def review(
    principals: Iterable[Mapping[str, Any]],
    actions: Mapping[str, Mapping[str, Any]],
    toxic: Sequence[Sequence[str]],
    today: date,
) -> list[dict[str, Any]]:
    """One row for each person who may act: roles over all their logins, and every action with the role that opens it.

    `conflicts` are pairs of roles that one person holds together, on whichever logins; the registry refuses them on
    one login, and this is where those over several show. Logins that ended, or whose end date has passed, hold nothing.
    """
    people: dict[str, list[Mapping[str, Any]]] = {}
    for one in principals:
        if one["state"] == "active" and (one["until"] is None or date.fromisoformat(one["until"]) >= today):
            people.setdefault(one["person"], []).append(one)
    return [_row(person, logins, actions, toxic) for person, logins in sorted(people.items())]


def _row(
    person: str,
    logins: Sequence[Mapping[str, Any]],
    actions: Mapping[str, Mapping[str, Any]],
    toxic: Sequence[Sequence[str]],
) -> dict[str, Any]:
    roles = sorted({role for one in logins for role in one["roles"]})
    opened = {
        action: sorted({*roles, EVERYBODY} & set(table["roles"]))
        for action, table in sorted(actions.items())
        if {*roles, EVERYBODY} & set(table["roles"])
    }
    return {
        "person": person,
        "logins": sorted(one["login"] for one in logins),
        "kind": logins[0]["kind"],
        "organisation": sorted({one["organisation"] for one in logins} - {""}),
        "until": min((one["until"] for one in logins if one["until"]), default=None),
        "roles": roles,
        "groups": sorted({group for one in logins for group in one["groups"]}),
        "conflicts": [sorted(pair) for pair in toxic if set(pair) <= set(roles)],
        "notes": _notes(logins, roles),
        "actions": opened,
    }


def _notes(logins: Sequence[Mapping[str, Any]], roles: Sequence[str]) -> list[str]:
    notes = []
    if len(logins) > 1:
        notes.append("several logins of one person")
    if not roles:
        notes.append("no role: may only do what everybody may")
    if len({one["kind"] for one in logins}) > 1:
        notes.append("a person and a program under one name")
    return notes


def document(rows: Sequence[Mapping[str, Any]], revision: str, position: int) -> bytes:
    """The review as JSON: the same facts and policy give the same bytes."""
    about = {
        "type": "access_review",
        "schema_version": 1,
        "as_of": {"registry": position},
        "policy_revision": revision,
        "persons": len(rows),
        "conflicts": sum(1 for row in rows if row["conflicts"]),
        "rows": list(rows),
    }
    return (json.dumps(about, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The same as CSV (RFC 4180); a cell that a spreadsheet would run is led by an apostrophe."""
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    for row in rows:
        lines.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            text = ""
        case dict():
            text = "; ".join(value)
        case list():
            text = "; ".join(" + ".join(one) if isinstance(one, list) else one for one in value)
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
