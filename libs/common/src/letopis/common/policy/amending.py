"""The policy in force: what the rooms wrote, and over it what the bank changed; pure, so it can be composed anywhere.

A change is a path and a value:
`settings/registry/session/quota/cores` a setting that the room's `terms` name;
`rules/registry/promotion/four_eyes.self_approval/mode` observe, warn or prevent;
`actions/registry.session.open/roles` who may;
`overlays/retail/settings/...` and `overlays/retail/rules/...` the same for whoever is in group `department:retail`,
where it tightens. What a release does not name is as the rooms wrote it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from letopis.common.errors import Invalid
from letopis.common.policy.lint import ROLES
from letopis.common.policy.sources import Bundle, Room, bundle_of, revision_of
from letopis.common.policy.terms import MODES, at, loosens, misfits, put

Changes = Mapping[str, Any]
# Who changes policy cannot be changed by a policy: a release could lock everybody out, or make one person two.
FIXED = ("registry", "policy_release")
DEPARTMENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
# Not given away by a form: everybody, and our own processes.
_UNGIVEN = {"*", "service"}


class ChangeRefused(Invalid):
    """A change is not one that may be made by data."""

    code = "policy.change_refused"
    title = "This is not a change that policy allows by form"


def amended(rooms: Sequence[Room], changes: Changes) -> Bundle:
    """The bundle of the rooms with the changes; ChangeRefused with every complaint where one is not allowed."""
    base = bundle_of(rooms)
    known = {(room.service, room.name): room for room in rooms}
    tables = {name: table for name, table in base.data["bundle"].items() if name != "revision"}
    found: list[str] = []
    # Overlays come last: they are held against what the bank itself has changed.
    for path in sorted(changes, key=lambda one: (one.startswith("overlays/"), one)):
        try:
            tables = _changed(tables, known, path, changes[path])
        except ChangeRefused as refused:
            found.append(f"{path}: {refused.detail}")
    if found:
        raise ChangeRefused("; ".join(found), complaints=found)
    revision = revision_of(base.modules, tables)
    return Bundle(modules=base.modules, data={"bundle": tables | {"revision": revision}}, revision=revision)


def present(tables: Mapping[str, Any], path: str) -> Any:
    """What a change's path holds in a bundle's tables; None if nothing."""
    kind, _, rest = path.partition("/")
    if kind == "actions":
        action, _, _ = rest.partition("/")
        return tables["actions"].get(action, {}).get("roles")
    if kind == "overlays":
        department, _, inner = rest.partition("/")
        kind, rest = "overlays", f"{department}/{inner}"
        for one in tables["overlays"].get(department, []):
            if one["path"] == inner:
                return one["value"]
        return None
    if kind == "rules":
        service, room, rule, _ = (*rest.split("/"), "", "", "")[:4]
        return tables["rules"].get(service, {}).get(room, {}).get(rule, {}).get("mode")
    try:
        return at(tables["settings"], rest)
    except KeyError:
        return None


def _changed(tables: dict[str, Any], rooms: Mapping[tuple[str, str], Room], path: str, value: Any) -> dict[str, Any]:
    match path.split("/"):
        case ["settings", service, room, *rest] if rest:
            term = _term(rooms, service, room, "/".join(rest))
            _fit(term, value)
            return {**tables, "settings": put(tables["settings"], f"{service}/{room}/{'/'.join(rest)}", value)}
        case ["rules", service, room, rule, "mode"]:
            _mode(rooms, service, room, rule, value)
            table = tables["rules"][service][room]
            changed = {**table, rule: {**table[rule], "mode": value}}
            return {**tables, "rules": {**tables["rules"], service: {**tables["rules"][service], room: changed}}}
        case ["actions", action, "roles"]:
            _roles(tables, action, value)
            return {**tables, "actions": {**tables["actions"], action: {**tables["actions"][action], "roles": value}}}
        case ["overlays", department, *rest] if DEPARTMENT.match(department):
            entry = _overlaid(tables, rooms, rest, value)
            mine = [*tables["overlays"].get(department, []), entry]
            return {**tables, "overlays": {**tables["overlays"], department: mine}}
        case _:
            raise ChangeRefused("there is no such thing to change")


def _overlaid(
    tables: Mapping[str, Any], rooms: Mapping[tuple[str, str], Room], rest: Sequence[str], value: Any
) -> dict[str, Any]:
    path = "/".join(rest)
    match rest:
        case ["settings", service, room, *names] if names:
            term = _term(rooms, service, room, "/".join(names))
            _fit(term, value)
            if term["tighter"] == "never":
                raise ChangeRefused("no department has a value of its own here")
            if loosens(term["tighter"], at(tables["settings"], f"{service}/{room}/{'/'.join(names)}"), value):
                raise ChangeRefused("a department may tighten what the bank set, never loosen it")
            kind = {"service": service, "room": room, "at": "/" + "/".join(names), "tighter": term["tighter"]}
            return {"path": path, "value": value, **kind}
        case ["rules", service, room, rule, "mode"]:
            _mode(rooms, service, room, rule, value)
            before = tables["rules"][service][room][rule]["mode"]
            if MODES.index(value) < MODES.index(before):
                raise ChangeRefused("a department may tighten what the bank set, never loosen it")
            return {"path": path, "value": value, "service": service, "room": room, "rule": rule}
        case _:
            raise ChangeRefused("a department changes settings and modes, nothing else")


def _term(rooms: Mapping[tuple[str, str], Room], service: str, room: str, path: str) -> Mapping[str, Any]:
    found = rooms.get((service, room))
    if found is None or path not in found.terms:
        raise ChangeRefused("no room lets this be changed by form")
    term: Mapping[str, Any] = found.terms[path]
    return term


def _fit(term: Mapping[str, Any], value: Any) -> None:
    if wrong := list(misfits(term["schema"], value)):
        raise ChangeRefused("; ".join(wrong))


def _mode(rooms: Mapping[tuple[str, str], Room], service: str, room: str, rule: str, value: Any) -> None:
    found = rooms.get((service, room))
    if found is None or rule not in found.rules:
        raise ChangeRefused("there is no such rule")
    if (service, room) == FIXED:
        raise ChangeRefused("the rules for changing policy are not changed by policy")
    if value not in MODES:
        raise ChangeRefused(f"the mode must be one of {', '.join(MODES)}")


def _roles(tables: Mapping[str, Any], action: str, value: Any) -> None:
    if action not in tables["actions"]:
        raise ChangeRefused("there is no such action")
    if tuple(action.split(".")[:2]) == FIXED:
        raise ChangeRefused("the rules for changing policy are not changed by policy")
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ChangeRefused("the roles must be a list of names that is not empty")
    if odd := sorted(set(value) - ROLES):
        raise ChangeRefused(f"there is no role {', '.join(odd)}")
    if odd := sorted((set(value) ^ set(tables["actions"][action]["roles"])) & _UNGIVEN):
        raise ChangeRefused(f"{', '.join(odd)} is neither given nor taken away by form")
