"""Principals as their registrars see them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Column, MetaData, Table, Text, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.principal.events import (
    FACTS,
    GroupJoined,
    GroupLeft,
    KeyEnrolled,
    KeyRevoked,
    PrincipalEndChanged,
    PrincipalEnded,
    PrincipalRegistered,
    RoleGranted,
    RoleRevoked,
    TrainingAttested,
)


class Principals(View):
    """One row a login: person, roles, groups, keys, trainings and end date."""

    name = "principals"
    version = 2
    metadata = MetaData()
    table = Table(
        "principals",
        metadata,
        Column("login", Text, primary_key=True),
        Column("person", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("organisation", Text, nullable=False),
        Column("until", Text),
        Column("state", Text, nullable=False),
        Column("roles", JSON, nullable=False),
        Column("groups", JSON, nullable=False),
        Column("keys", JSON, nullable=False),
        Column("trainings", JSON, nullable=False),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.login,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.login,)
        if isinstance(fact, PrincipalRegistered):
            rows[self.table, key] = {
                "login": fact.login,
                "person": fact.person,
                "name": fact.name,
                "kind": fact.kind,
                "organisation": fact.organisation,
                "until": fact.until.isoformat() if fact.until else None,
                "state": "active",
                "roles": [],
                "groups": [],
                "keys": [],
                "trainings": {},
            }
            return
        row = rows[self.table, key]
        if row is not None:
            rows[self.table, key] = {**row, **_changed(row, fact)}


def _changed(row: dict[str, Any], fact: object) -> dict[str, Any]:
    match fact:
        case RoleGranted(role=role):
            return {"roles": sorted({*row["roles"], role})}
        case RoleRevoked(role=role):
            return {"roles": [one for one in row["roles"] if one != role]}
        case GroupJoined(group=group):
            return {"groups": sorted({*row["groups"], group})}
        case GroupLeft(group=group):
            return {"groups": [one for one in row["groups"] if one != group]}
        case KeyEnrolled():
            return {"keys": [*row["keys"], {"key_id": fact.key_id, "public_key": fact.public_key}]}
        case KeyRevoked(key_id=name):
            return {"keys": [one for one in row["keys"] if one["key_id"] != name]}
        case TrainingAttested(training=training, until=until):
            return {"trainings": {**row["trainings"], training: until.isoformat()}}
        case PrincipalEndChanged(until=until):
            return {"until": until.isoformat() if until else None}
        case PrincipalEnded():
            return {"state": "ended"}
        case _:
            return {}


async def everyone(views: ViewReader) -> list[dict[str, Any]]:
    """All principals by login."""
    return [dict(row) for row in await views.rows(Principals, select(Principals.table).order_by("login"))]


async def one(views: ViewReader, login: str) -> dict[str, Any] | None:
    """One principal, or None."""
    table = Principals.table
    rows = await views.rows(Principals, select(table).where(table.c.login == login))
    return dict(rows[0]) if rows else None
