"""The policy as tables: what the rooms wrote, what is in force over it, and what may be changed by form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from letopis.common.policy.amending import FIXED, Changes, amended, present
from letopis.common.policy.sources import Bundle, Room, bundle_of
from letopis.common.policy.terms import at
from letopis.common.serialization import canonical
from letopis.registry.policy_release.decider import Releases
from letopis.registry.policy_release.events import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """`changes` are those of the release in force."""

    rooms: tuple[Room, ...]
    base: Bundle
    changes: Changes
    in_force: Bundle


def compose(rooms: tuple[Room, ...], state: Releases) -> Composed:
    """What is in force here: the rooms as this process found them, with the changes of the last release."""
    changes = values(state.in_force.changes) if state.in_force is not None else {}
    return Composed(rooms=rooms, base=bundle_of(rooms), changes=changes, in_force=amended(rooms, changes))


def values(changes: Sequence[Change]) -> dict[str, Any]:
    return {one.path: msgspec.json.decode(one.value) for one in changes}


def changes_of(values: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(path=path, value=canonical(values[path]).decode()) for path in sorted(values))


def on_top(changes: Changes, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The changes in force with the wanted ones; None takes a change back."""
    return {path: value for path, value in {**changes, **wanted}.items() if value is not None}


def touched(before: Changes, after: Changes) -> list[str]:
    """The paths that one set of changes holds otherwise than another."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def settings(composed: Composed) -> list[dict[str, Any]]:
    """Everything a form may change in settings, with what holds now and what the rooms wrote."""
    tables = composed.in_force.data["bundle"]
    found = []
    for room in composed.rooms:
        for path, term in sorted(room.terms.items()):
            full = f"settings/{room.service}/{room.name}/{path}"
            value, written = present(tables, full), at(room.settings, path)
            found.append({"path": full, "value": value, "written": written, **term})
    return found


def rules(composed: Composed) -> list[dict[str, Any]]:
    """Every rule of every room, as people read it."""
    tables = composed.in_force.data["bundle"]
    return [
        {
            "path": f"rules/{room.service}/{room.name}/{rule}/mode",
            "service": room.service,
            "room": room.name,
            "rule": rule,
            **tables["rules"][room.service][room.name][rule],
            "written": told["mode"],
            "fixed": (room.service, room.name) == FIXED,
        }
        for room in composed.rooms
        for rule, told in sorted(room.rules.items())
    ]


def actions(composed: Composed) -> list[dict[str, Any]]:
    """Every action, and the roles that open it."""
    tables = composed.in_force.data["bundle"]["actions"]
    return [
        {"path": f"actions/{action}/roles", "action": action, "roles": table["roles"], "requires": table["requires"]}
        for action, table in sorted(tables.items())
    ]
