"""Models saved so that the same model gives the same bytes."""

import io
import json
import zipfile
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
# Values without an identity of their own: whether two equal ones are one object differs from run to run.
_PLAIN = frozenset({"JsonNode", "TypeNode"})


def skops_bytes(model: Any) -> bytes:
    """A skops archive whose ids count from 1 and whose times stand still; skops itself writes memory addresses."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(content.pop("schema.json"))
    names = _Renaming().of(schema)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("schema.json"), json.dumps(schema, indent=2))
        for old, new in names.items():
            archive.writestr(_entry(new), content[old])
    return sink.getvalue()


class _Renaming:
    """Numbers objects and files in the order in which a walk through the schema meets them."""

    def __init__(self) -> None:
        self._ids: dict[int, int] = {}
        self._files: dict[str, str] = {}
        self._count = 0

    def of(self, schema: Any) -> dict[str, str]:
        """Change the schema in place; new names of its files by the old ones."""
        self._walk(schema)
        return self._files

    def _walk(self, node: Any) -> None:
        if isinstance(node, list):
            for one in node:
                self._walk(one)
        if not isinstance(node, dict):
            return
        if "__loader__" in node and isinstance(node.get("__id__"), int):
            node["__id__"] = self._number(node["__id__"], plain=node["__loader__"] in _PLAIN)
        if "__loader__" in node and isinstance(node.get("file"), str):
            old = node["file"]
            node["file"] = self._files.setdefault(old, f"{len(self._files) + 1}{old[old.rindex('.') :]}")
        for one in node.values():
            self._walk(one)

    def _number(self, id: int, *, plain: bool) -> int:
        if plain or id not in self._ids:
            self._count += 1
            if plain:
                return self._count
            self._ids[id] = self._count
        return self._ids[id]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = _UNIX
    return entry
