"""What a room's policy must look like (README.md beside this file), checked without an engine."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from letopis.common.policy.schema import ALWAYS, OWN, QUESTION, unknown_words
from letopis.common.policy.sources import Room
from letopis.common.policy.terms import complaints

ROLES = frozenset(
    {
        "*",
        "data_engineer",
        "data_scientist",
        "ml_engineer",
        "rule_analyst",
        "validator",
        "model_owner",
        "risk_officer",
        "security_officer",
        "auditor",
        "regulator",
        "operator",
        "administrator",
        "consumer",
        "subscriber",
        "service",
    }
)
MODES = frozenset({"observe", "warn", "prevent"})
REGO = "import rego.v1"
NOT = "import future.keywords.not"
TOLD = frozenset({"mode", "owner", "message", "remedy"})
ASKED = frozenset({"action", "subject", "purpose", "object", "context", "facts"})

_DENY = re.compile(r"^deny\s+contains\s+(.*?)(?:\s+if\b|$)", re.MULTILINE)
_LITERAL = re.compile(r'"([a-z0-9_]+\.[a-z0-9_]+)"\Z')
_INPUT = re.compile(r"\binput((?:\.[a-z_][a-z0-9_]*)+)")
# What would make a decision depend on more than its recorded input.
_IMPURE = re.compile(
    r"\b(http\.send|time\.now_ns|io\.jwt\.\w+|crypto\.\w+|rand\.\w+|opa\.runtime|net\.\w+|uuid\.\w+|trace)\b\s*\("
)
_NOT = re.compile(r"\bnot\b")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_COMMENT = re.compile(r"^\s*#.*$|(?<=\s)#[^\"]*$", re.MULTILINE)


def lint(rooms: Sequence[Room]) -> list[str]:
    """Every complaint as a line `package: what is wrong`; empty when the house style holds."""
    found: list[str] = []
    for room in rooms:
        checks = (
            _module(room),
            _actions(room),
            _fields(room),
            _rules(room),
            _tests(room),
            _listed(room, rooms),
            complaints(room.terms, room.settings),
        )
        found += [f"{room.package}: {complaint}" for check in checks for complaint in check]
    return found


def rule_ids(module: str) -> list[str]:
    """The literal ids of the deny rules, in order; a rule with two bodies stands twice."""
    heads = (_LITERAL.match(head.strip()) for head in _DENY.findall(module))
    return [head.group(1) for head in heads if head]


def imports(code: str) -> list[str]:
    """The imports a module needs; `opa fmt` takes away one that is not used."""
    denies = _NOT.search(_TEXT.sub("", _COMMENT.sub("", code)).replace(NOT, ""))
    return [REGO, NOT] if denies else [REGO]


def _module(room: Room) -> Iterator[str]:
    if not room.module:
        return
    code = _COMMENT.sub("", room.module)
    lines = {line.strip() for line in code.splitlines()}
    if f"package {room.package}" not in lines:
        yield f"the package must be {room.package}"
    for line in imports(room.module):
        if line not in lines:
            yield f"`{line}` is missing: without it a denial can vanish"
    if room.name and "default allow := false" not in lines:
        yield "`default allow := false` is missing"
    for head in _DENY.findall(code):
        if not _LITERAL.match(head.strip()):
            yield f"a deny must contain a literal id such as area.reason, not {head.strip()}"
    for name in sorted(set(_IMPURE.findall(code))):
        yield f"{name} would make the decision unrepeatable"
    asked = set(ALWAYS).union(*(_list(table, "requires") for table in room.actions.values()))
    for path in sorted({found[1:] for found in _INPUT.findall(code)} - asked):
        yield f"input.{path} is read, but no action requires it"


def _actions(room: Room) -> Iterator[str]:
    prefix = ".".join(part for part in (room.service, room.name) if part) + "."
    for action, table in room.actions.items():
        if not action.startswith(prefix) or action.count(".") != 2:
            yield f"action {action} must read {prefix}<verb>"
        if not isinstance(table, dict) or set(table) != {"roles", "requires"}:
            yield f"action {action} must have exactly `roles` and `requires`"
            continue
        if odd := sorted(set(_list(table, "roles")) - ROLES):
            yield f"action {action}: unknown role {', '.join(odd)}"
        for path in _list(table, "requires"):
            if path.partition(".")[0] not in ASKED:
                yield f"action {action}: the question has no field {path}"


def _fields(room: Room) -> Iterator[str]:
    required = set().union(*(_list(table, "requires") for table in room.actions.values()))
    for path in sorted(required - set(QUESTION) - set(room.fields)):
        yield f"{path} is required, but `fields` does not say what it holds"
    for path, fragment in room.fields.items():
        if not path.startswith(OWN) or not isinstance(fragment, dict):
            yield f"`fields` describes paths under {' and '.join(OWN)} by JSON schemas, not {path}"
        elif odd := unknown_words(fragment):
            yield f"field {path} uses {', '.join(sorted(odd))}, which is not of our part of JSON schema"


def _rules(room: Room) -> Iterator[str]:
    written = set(rule_ids(room.module))
    for id in sorted(written - set(room.rules)):
        yield f"rule {id} has no entry in data.json"
    for id in sorted(set(room.rules) - written):
        yield f"rule {id} of data.json is not written in policy.rego"
    for id, told in room.rules.items():
        if not isinstance(told, dict) or set(told) != TOLD or not all(told.values()):
            yield f"rule {id} must have mode, owner, message and remedy, none empty"
        elif told["mode"] not in MODES:
            yield f"rule {id}: mode {told['mode']} is none of observe, warn, prevent"


def _tests(room: Room) -> Iterator[str]:
    if not room.module or not room.name:
        return
    if not room.test:
        yield "policy_test.rego is missing"
        return
    if f"package {room.package}_test" not in room.test.splitlines():
        yield f"the package of the tests must be {room.package}_test"
    for line in imports(room.test):
        if line not in room.test.splitlines():
            yield f"the tests lack `{line}`"
    for id in sorted(set(rule_ids(room.module))):
        if f'"{id}"' not in room.test:
            yield f"no test names rule {id}"


def _listed(room: Room, rooms: Iterable[Room]) -> Iterator[str]:
    dispatcher = next((one for one in rooms if one.service == room.service and not one.name), None)
    if dispatcher is None or not dispatcher.module:
        yield f"{room.service}/policy.rego, which says what room answers, is missing"
        return
    for name in sorted({room.name} if room.name else {action.split(".")[1] for action in room.actions}):
        if f'gate.room == "{name}"' not in dispatcher.module:
            yield f"{room.service}/policy.rego does not list room {name}"


def _list(table: Any, key: str) -> list[str]:
    value = table.get(key, []) if isinstance(table, dict) else []
    return value if isinstance(value, list) else []
