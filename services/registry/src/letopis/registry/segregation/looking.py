"""The graph as it stands now: principals and loans as the registry's own facts up to this moment tell them."""

from collections.abc import Iterable, Mapping
from typing import Any

from letopis.common.errors import Unavailable
from letopis.common.http import Call
from letopis.registry.delegation import views as delegations
from letopis.registry.principal import views as principals
from letopis.registry.segregation.graph import Hands, Step

# Groups whose members build together, so that none of them is a second pair of eyes for another.
TEAM = "team:"
PATIENCE = 5.0


class GraphBehind(Unavailable):
    """The read models did not reach the ledger's head in time, so nobody can be called independent."""

    code = "segregation.behind"
    title = "Who stands for whom is not known up to now; try again shortly"


async def hands_of(call: Call) -> Hands:
    """The graph at the ledger's head of this moment; GraphBehind rather than an old one."""
    head = {"registry": await call.resources.store.head("registry")}
    try:
        for view in (principals.Principals, delegations.Delegations):
            await call.views.wait(view, head, PATIENCE)
    except TimeoutError as error:
        raise GraphBehind from error
    everyone = await principals.everyone(call.views)
    lent = await delegations.in_force(call.views, call.now().date())
    return graph(everyone, lent)


def graph(everyone: Iterable[Mapping[str, Any]], lent: Iterable[Mapping[str, Any]]) -> Hands:
    """From rows of the two read models."""
    names: dict[str, str] = {}
    teams: dict[str, set[str]] = {}
    for one in everyone:
        person = str(one["person"]).lower()
        names[str(one["login"]).lower()] = names[person] = person
        for group in one["groups"]:
            if group.startswith(TEAM):
                teams.setdefault(group.removeprefix(TEAM), set()).add(person)
    return Hands(
        names=names,
        lent=frozenset((str(one["by_person"]).lower(), str(one["person"]).lower()) for one in lent),
        teams={team: frozenset(members) for team, members in teams.items()},
    )


def committers(manifest: Mapping[str, Any]) -> list[str]:
    """Who wrote the code of a version, as its manifest says: logins, or the part of an address before the @."""
    authors = (manifest.get("code") or {}).get("authors") or []
    return [str(one).partition("@")[0] for one in authors]


async def proxy_of(call: Call, direct: set[str], manifest: Mapping[str, Any]) -> tuple[Step, ...] | None:
    """The way from who made or asked to the caller; None if independent, or if the caller is one of them themselves.

    That nobody approves what is plainly their own is a rule of its own, so here it is not told a second time.
    """
    if call.caller.person in direct:
        return None
    return (await hands_of(call)).path([*direct, *committers(manifest)], call.caller.person)
