"""What a person typed into the form of policy becomes changes: only what differs, each of the kind its term names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from letopis.common.errors import Invalid


class NotReadable(Invalid):
    """A field holds what its setting cannot be."""

    code = "policy.not_readable"
    title = "A field of the form cannot be read"


def shown(value: Any) -> str:
    """A setting's value as a form shows it: a list by commas, a table as JSON."""
    match value:
        case list():
            return ", ".join(map(str, value))
        case dict():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case _:
            return str(value)


def read(schema: Mapping[str, Any], text: str, label: str) -> Any:
    """The value that a text stands for; whether it is allowed, the registry says."""
    text = text.strip()
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "array":
                return [one.strip() for one in text.split(",") if one.strip()]
            case "object":
                return json.loads(text or "{}")
            case _:
                return text
    except ValueError:
        raise NotReadable(f"{label}: {text!r} is no {schema.get('type')}") from None


def changes(policy: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The changes of a form over the policy in force; what is as the rooms wrote it again is taken back.

    With a department, everything is a tightening of that department.
    """
    department = form.get("department", "").strip()
    found: dict[str, Any] = {}
    for one in policy["settings"]:
        text = form.get(one["path"])
        if text is None or text.strip() == shown(one["value"]):
            continue
        value = read(one["schema"], text, one["label"])
        if value != one["value"]:
            found |= _change(department, one["path"], value, one["written"])
    for rule in policy["rules"]:
        mode = form.get(rule["path"])
        if mode is not None and mode != rule["mode"]:
            found |= _change(department, rule["path"], mode, rule["written"])
    return found


def grouped(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Settings by service and room, as the form shows them."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for one in settings:
        _, service, room, *_ = one["path"].split("/")
        rooms.setdefault(f"{service}, {room}", []).append({**one, "text": shown(one["value"])})
    return rooms


def _change(department: str, path: str, value: Any, written: Any) -> dict[str, Any]:
    if department:
        return {f"overlays/{department}/{path}": value}
    return {path: None if value == written else value}
