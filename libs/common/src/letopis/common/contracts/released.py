"""The documents of all installed services as the code tells them, and as they were released."""

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import letopis
from letopis.common.contracts.differ import Break, breaking


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A document that is not as released; compatible when it breaks nobody."""

    name: str
    breaks: tuple[Break, ...]


def services() -> list[str]:
    """The names of the installed services."""
    roots = [Path(root) for root in letopis.__path__]
    folders = [folder for root in roots for folder in root.iterdir()]
    return sorted(one.name for one in folders if (one / "worker.py").is_file() and (one / "app.py").is_file())


def generated(service: str) -> dict[str, dict[str, Any]]:
    """The documents of a service by file name; its application is made and not started."""
    process = importlib.import_module(f"letopis.{service}.worker").PROCESS
    with TemporaryDirectory() as folder:
        settings = process.settings().model_copy(update={"state_dir": Path(folder)})
        app = process.create_app(settings, _deaf)
    told = app.state.documents
    return {f"{service}.openapi.json": told.openapi(app), f"{service}.asyncapi.json": told.asyncapi(app)}


def _deaf(_ledger: str, _position: int) -> None:
    """Nothing is appended by an application that is not started."""


def text(document: Mapping[str, Any]) -> str:
    """The one text of a document, so that equal ones are equal files."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def differences(folder: Path, documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    """Where `documents` and the files in `folder` differ; a released document that is told no more breaks everybody."""
    for name in sorted({*documents, *(file.name for file in folder.glob("*.json"))}):
        file = folder / name
        if name not in documents:
            gone = Break(where=name, what="the document is not told any more", whom="whoever relies on it")
            yield Difference(name=name, breaks=(gone,))
        elif not file.is_file():
            yield Difference(name=name, breaks=())
        elif file.read_text("utf-8") != text(documents[name]):
            found = breaking(json.loads(file.read_bytes()), documents[name])
            yield Difference(name=name, breaks=tuple(found))


def keep(folder: Path, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the documents as released, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        if file.name not in documents:
            file.unlink()
    for name, document in documents.items():
        (folder / name).write_text(text(document), "utf-8")
