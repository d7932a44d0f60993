"""Policy where it is written: Rego and tables beside every room, collected from folders or installed packages."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import letopis
from letopis.common.errors import LetopisError
from letopis.common.policy.schema import compose
from letopis.common.serialization import canonical

GATE = "letopis/gate.rego"


class PolicyError(LetopisError):
    """A policy cannot be used as it is."""

    code = "policy"
    title = "The policy cannot be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What an engine loads: modules by their path, the data document, and the digest of both."""

    modules: dict[str, str]
    data: dict[str, Any]
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The files of one room; the service's own files are its room ""."""

    service: str
    name: str
    module: str = ""
    test: str = ""
    actions: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)

    @property
    def package(self) -> str:
        return ".".join(part for part in ("letopis", self.service, self.name) if part)

    @property
    def folder(self) -> str:
        return self.package.replace(".", "/")


def installed_roots() -> list[Path]:
    """The folders that hold the installed portions of the namespace, from a checkout or from a wheel."""
    return [Path(root) for root in letopis.__path__]


def collect(roots: Sequence[Path] | None = None) -> list[Room]:
    """Every room under the roots (folders of services), in order of names; PolicyError if a file is not readable."""
    rooms = [room for root in roots or installed_roots() for room in _rooms(root)]
    packages = [room.package for room in rooms]
    if len(set(packages)) != len(packages):
        raise PolicyError("a room stands in two of the folders")
    return sorted(rooms, key=lambda room: room.package)


def bundle_of(rooms: Sequence[Room], *, tests: bool = False) -> Bundle:
    """The rooms and the shared gate as an engine loads them. Tests are left out unless asked for."""
    modules = {GATE: gate()}
    actions: dict[str, Any] = {}
    rules: dict[str, dict[str, Any]] = {}
    settings: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for room in rooms:
        if room.module:
            modules[f"{room.folder}/policy.rego"] = room.module
        if room.test and tests:
            modules[f"{room.folder}/policy_test.rego"] = room.test
        actions |= room.actions
        schemas |= {action: compose(table, room.fields) for action, table in room.actions.items()}
        rules.setdefault(room.service, {})[room.name] = room.rules
        settings.setdefault(room.service, {})[room.name] = room.settings
    tables = {"actions": actions, "overlays": {}, "rules": rules, "schemas": schemas, "settings": settings}
    revision = revision_of(modules, tables)
    return Bundle(modules=modules, data={"bundle": tables | {"revision": revision}}, revision=revision)


def revision_of(modules: dict[str, str], tables: dict[str, Any]) -> str:
    """SHA-256 over the modules and the tables, so that equal contents always carry one name."""
    return sha256(canonical({"modules": modules, "tables": tables})).hexdigest()


def gate() -> str:
    """The shared module that every room imports."""
    return resources.files("letopis.common.policy").joinpath("gate.rego").read_text(encoding="utf-8")


def _rooms(root: Path) -> Iterator[Room]:
    for service in sorted(part for part in root.iterdir() if part.is_dir() and part.name.isidentifier()):
        if service.name == "common":
            continue
        folders = [service, *sorted(part for part in service.iterdir() if part.is_dir())]
        for folder in folders:
            if (folder / "policy.rego").is_file() or _declares(folder / "data.json"):
                yield _room(service.name, "" if folder is service else folder.name, folder)


def _declares(file: Path) -> bool:
    return file.is_file() and "actions" in _tables(file)


def _room(service: str, name: str, folder: Path) -> Room:
    tables = _tables(folder / "data.json") if (folder / "data.json").is_file() else {}
    return Room(
        service=service,
        name=name,
        module=_text(folder / "policy.rego"),
        test=_text(folder / "policy_test.rego"),
        actions=tables.get("actions", {}),
        fields=tables.get("fields", {}),
        rules=tables.get("rules", {}),
        settings=tables.get("settings", {}),
        terms=tables.get("terms", {}),
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _tables(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise PolicyError(f"{file.parent.name}/{file.name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise PolicyError(f"{file.parent.name}/{file.name} is not a JSON object")
    return document
