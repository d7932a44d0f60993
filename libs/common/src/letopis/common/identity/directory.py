"""Principals as each service projects them from the registry's facts: roles, groups, end dates, keys, trainings."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.identity.caller import Lent, NotebookKey, Principal
from letopis.common.projecting import Rows, Told, View, ViewReader

PRINCIPAL = "registry.principal."
LENT = "registry.delegation."
NOTEBOOK = "registry.notebook_key."
GROUP_ROLES = "registry.group_role.approved"
NO_ROLES: frozenset[str] = frozenset()


class DirectoryView(View):
    """One row a login, and one a group that has roles. Facts are told apart by their stored names, since common
    imports no service's contract.

    A service makes it its own by naming the catalogue:
    `class Directory(DirectoryView): sources = {"registry": DIRECTORY}`.
    """

    name = "directory"
    version = 3
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
        Column("lent", JSON, nullable=False),
        Column("notebook_keys", JSON, nullable=False),
        Column("trainings", JSON, nullable=False),
    )
    group_table = Table(
        "directory_group",
        metadata,
        Column("group", Text, primary_key=True),
        Column("roles", JSON, nullable=False),
    )

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        if told.record.type == GROUP_ROLES:
            return [(self.group_table, (told.fact.group,))]
        return [(self.table, (told.fact.login,))] if told.record.type.startswith((PRINCIPAL, LENT, NOTEBOOK)) else []

    def project(self, rows: Rows, told: Told) -> None:
        type, fact = told.record.type, told.fact
        if type == GROUP_ROLES:
            rows[self.group_table, (fact.group,)] = {"group": fact.group, "roles": sorted(fact.roles)}
            return
        if not type.startswith((PRINCIPAL, LENT, NOTEBOOK)):
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
                "lent": {},
                "notebook_keys": {},
                "trainings": {},
            }
            return
        row = rows[self.table, key]
        if row is not None:
            rows[self.table, key] = {**row, **(changed(row, type, fact) or _borrowed(row, told))}


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
        case "training_attested":
            return {"trainings": {**row["trainings"], fact.training: fact.until.isoformat()}}
        case "ended":
            return {"ended": True}
        case _:
            return {}


def _borrowed(row: dict[str, Any], told: Told) -> dict[str, Any]:
    """What a fact changes of roles that are lent to the login, and of its notebooks' keys."""
    fact = told.fact
    match told.record.type:
        case "registry.delegation.given":
            about = {"role": fact.role, "by_login": fact.by_login, "by_person": fact.by_person}
            return {"lent": {**row["lent"], fact.delegation_id: {**about, "until": fact.until.isoformat()}}}
        case "registry.delegation.ended":
            return {"lent": {id: one for id, one in row["lent"].items() if id != fact.delegation_id}}
        case "registry.notebook_key.issued":
            key = {"hash": fact.hash, "purpose": fact.purpose, "use_case_id": fact.use_case_id}
            key |= {"issued_at": time_text(fact.at), "until": time_text(fact.until)}
            return {"notebook_keys": {**row["notebook_keys"], fact.key_id: key}}
        case "registry.notebook_key.revoked":
            return {"notebook_keys": {id: one for id, one in row["notebook_keys"].items() if id != fact.key_id}}
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
        found = await self._rows(lambda column: column == login)
        return await self._principal(found[0]) if found else None

    async def everyone(self) -> list[Principal]:
        """All principals by login."""
        found = await self._rows(lambda column: column.is_not(None))
        return [await self._principal(row) for row in found]

    async def group_roles(self, group: str) -> frozenset[str]:
        """The roles that members of a group have by it."""
        return await self._of_groups([group])

    async def _rows(self, wanted: Callable[[Any], Any]) -> list[Any]:
        table = self._view.table
        query = select(table).where(wanted(table.c.login)).order_by(table.c.login)
        return list(await self._views.rows(self._view, query))

    async def _of_groups(self, groups: list[str]) -> frozenset[str]:
        if not groups:
            return frozenset()
        table = self._view.group_table
        rows = await self._views.rows(self._view, select(table).where(table.c.group.in_(groups)))
        return frozenset(role for row in rows for role in row["roles"])

    async def _principal(self, row: Any) -> Principal:
        return _principal(row, await self._of_groups(row["groups"]), await self._lent(row))

    async def _lent(self, row: Any) -> tuple[Lent, ...]:
        """What is lent to the login by those who still have it themselves: nobody lends what they lost or left."""
        if not row["lent"]:
            return ()
        lenders = await self._rows(lambda column: column.in_({one["by_login"] for one in row["lent"].values()}))
        own: dict[str, tuple[date, frozenset[str]]] = {}
        for one in lenders:
            until = date.fromisoformat(one["until"]) if one["until"] else date.max
            roles = frozenset(one["roles"]) | await self._of_groups(one["groups"])
            own[one["login"]] = (until, frozenset() if one["ended"] else roles)
        found = []
        for one in row["lent"].values():
            until, roles = own.get(one["by_login"], (date.min, NO_ROLES))
            if one["role"] in roles:
                last = min(until, date.fromisoformat(one["until"]))
                by = {"by_login": one["by_login"], "by_person": one["by_person"]}
                found.append(Lent(role=one["role"], until=last, **by))
        return tuple(found)


def _principal(row: Any, of_groups: frozenset[str], lent: tuple[Lent, ...]) -> Principal:
    keys = {
        id: NotebookKey(
            hash=one["hash"],
            purpose=one["purpose"],
            use_case_id=one["use_case_id"],
            issued_at=datetime.fromisoformat(one["issued_at"]),
            until=datetime.fromisoformat(one["until"]),
        )
        for id, one in row["notebook_keys"].items()
    }
    return Principal(
        login=row["login"],
        person=row["person"],
        name=row["name"],
        kind=row["kind"],
        organisation=row["organisation"],
        until=date.fromisoformat(row["until"]) if row["until"] else None,
        ended=row["ended"],
        roles=frozenset(row["roles"]) | of_groups,
        groups=frozenset(row["groups"]),
        keys=dict(row["keys"]),
        lent=lent,
        notebook_keys=keys,
        trainings={name: date.fromisoformat(until) for name, until in row["trainings"].items()},
    )
