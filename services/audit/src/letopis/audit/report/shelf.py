"""The definitions at hand: those shipped, and those a bank puts into a folder of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from letopis.audit.report.definition import BadDefinition, Definition, parse
from letopis.common.errors import NotFound


class TypeUnknown(NotFound):
    """No definition of this type is on the shelf."""

    code = "report.type_unknown"
    title = "There is no report of this type; GET /v1/report-types lists them"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Definitions and their exact files, by type."""

    definitions: Mapping[str, Definition]
    sources: Mapping[str, bytes]

    @classmethod
    def of(cls, folder: Path | None = None) -> "Shelf":
        """All of them; ValueError with the file's name if one cannot be read or two have one type."""
        texts = {one.name: one.read_bytes() for one in files("letopis.audit.report.packs").iterdir() if _is(one.name)}
        if folder is not None:
            texts |= {str(one): one.read_bytes() for one in sorted(folder.glob("*.toml"))}
        definitions: dict[str, Definition] = {}
        sources: dict[str, bytes] = {}
        for name, text in sorted(texts.items()):
            try:
                made = parse(text)
            except BadDefinition as bad:
                raise ValueError(f"{name} defines no report: {bad}") from bad
            if made.type in definitions:
                raise ValueError(f"{name} defines {made.type}, which another file defines")
            definitions[made.type], sources[made.type] = made, text
        return cls(definitions, sources)

    def definition(self, type: str) -> Definition:
        """The definition of a type; TypeUnknown."""
        if type not in self.definitions:
            raise TypeUnknown(f"no report is called {type}")
        return self.definitions[type]


def _is(name: str) -> bool:
    return name.endswith(".toml")
