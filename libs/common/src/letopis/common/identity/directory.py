"""Principals as each service projects them from the registry's facts: roles, groups, end dates, keys."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import JSON, Boolean, Column, MetaData, Table, Text, select

from letopis.common.identity.caller import Principal
from letopis.common.projecting import Rows, Told, View, ViewReader

PRINCIPAL = "registry.principal."


class DirectoryView(View):
    """One row a login. Facts are told apart by their stored names, since common imports no service's contract.

    A service makes it its own by naming the catalogue:
    `class Directory(DirectoryView): sources = {"registry": PRINCIPAL}`.
    """

    name = "directory"
    version = 1
    metadata = MetaData()
    table = Table(
        "directory",
        metadata,
        Column("login", Text, primary_key=True),
        Column("person", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("organisation", Text, nullable=False),
        Column("until", Text),
        Column("ended", Boolean, nullable=False),
        Column("roles", JSON, nullable=False),
        Column("groups", JSON, nullable=False),
        Column("keys", JSON, nullable=False),
    )

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.login,))] if told.record.type.startswith(PRINCIPAL) else []

    def project(self, rows: Rows, told: Told) -> None:
        type, fact = told.record.type, told.fact
        if not type.startswith(PRINCIPAL):
            return
        key = (fact.login,)
        if type == "registry.principal.registered":
            rows[self.table, key] = {
                "login": fact.login,
                "person": fact.person,
                "name": fact.name,
                "kind": fact.kind,
                "organisation": fact.organisation,
                "until": fact.until.isoformat() if fact.until else None,
                "ended": False,
                "roles": [],
                "groups": [],
                "keys": {},
            }
            return
        row = rows[self.table, key]
        if row is not None:
            rows[self.table, key] = {**row, **changed(row, type, fact)}


def changed(row: dict[str, Any], type: str, fact: Any) -> dict[str, Any]:
    """The columns that a fact changes; none where the fact says nothing about the directory."""
    match type.removeprefix(PRINCIPAL):
        case "role_granted":
            return {"roles": sorted({*row["roles"], fact.role})}
        case "role_revoked":
            return {"roles": [one for one in row["roles"] if one != fact.role]}
        case "group_joined":
            return {"groups": sorted({*row["groups"], fact.group})}
        case "group_left":
            return {"groups": [one for one in row["groups"] if one != fact.group]}
        case "key_enrolled":
            return {"keys": {**row["keys"], fact.key_id: fact.public_key}}
        case "key_revoked":
            return {"keys": {id: key for id, key in row["keys"].items() if id != fact.key_id}}
        case "end_changed":
            return {"until": fact.until.isoformat() if fact.until else None}
        case "ended":
            return {"ended": True}
        case _:
            return {}


class Directory:
    """Looks logins up in the service's own directory view."""

    def __init__(self, views: ViewReader, view: type[DirectoryView]) -> None:
        self._views = views
        self._view = view

    async def reach(self, positions: Mapping[str, int], timeout: float) -> None:  # noqa: ASYNC109 as the reader's
        """Wait until the directory has read these positions of its own ledgers; TimeoutError if it does not."""
        if concerned := {ledger: at for ledger, at in positions.items() if ledger in self._view.sources}:
            await self._views.wait(self._view, concerned, timeout)

    async def find(self, login: str) -> Principal | None:
        """The principal, or None if no fact registered this login."""
        table = self._view.table
        rows = await self._views.rows(self._view, select(table).where(table.c.login == login))
        return _principal(rows[0]) if rows else None

    async def everyone(self) -> list[Principal]:
        """All principals by login."""
        table = self._view.table
        return [_principal(row) for row in await self._views.rows(self._view, select(table).order_by(table.c.login))]


def _principal(row: Any) -> Principal:
    return Principal(
        login=row["login"],
        person=row["person"],
        name=row["name"],
        kind=row["kind"],
        organisation=row["organisation"],
        until=date.fromisoformat(row["until"]) if row["until"] else None,
        ended=row["ended"],
        roles=frozenset(row["roles"]),
        groups=frozenset(row["groups"]),
        keys=dict(row["keys"]),
    )
