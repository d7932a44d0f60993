"""Golden bytes of released facts: one made-up fact of each kind and version, which MUST keep its bytes for ever.

`python -m letopis.common.testing.golden SERVICE` writes the files that are missing and touches no other.
"""

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from letopis.common.serialization import BigInt, Catalogue, Real, plain
from letopis.common.testing.sealing import same_seal

_PLAIN: dict[Any, Any] = {
    str: "Текст",
    int: 17,
    float: 0.1,
    bool: True,
    bytes: b"\x00\xff",
    Decimal: Decimal("12.50"),
    Real: Real(-0.5),
    BigInt: BigInt(2**60),
    datetime: datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC),
    date: date(2005, 5, 31),
    UUID: UUID("01a1fdc6-2ee7-741a-bc7d-cacf22562e94"),
    Any: {"any": [1, "a"]},
    object: {"any": [1, "a"]},
}


def sample(kind: Any) -> Any:
    """A value of a type, always the same."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{part.name: sample(hints[part.name]) for part in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    origin, told = get_origin(kind), get_args(kind)
    if origin is Literal:
        return told[0]
    if origin is Annotated:
        return sample(told[0])
    if origin in {Union, UnionType}:
        return sample(next(one for one in told if one is not NoneType))
    if origin is tuple and told[-1] is not Ellipsis:
        return tuple(map(sample, told))
    if origin in {tuple, list}:
        return origin([sample(told[0])])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {str(sample(told[0])): sample(told[1])}
    raise TypeError(f"there is no sample of {kind}")


def golden(catalogue: Catalogue) -> dict[str, bytes]:
    """File name and content of every fact in a catalogue."""
    told = (catalogue.encode(sample(kind), same_seal) for _, _, kind in catalogue.entries)
    return {f"{one.type}.{one.schema_version}.json": one.data + b"\n" for one in told}


def check_golden(published: Mapping[str, Catalogue], folder: Path) -> None:
    """Every fact of a service has its bytes and reads them back, and no released bytes are left without a reader."""
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    made: dict[str, bytes] = {}
    for catalogue in published.values():
        made |= golden(catalogue)
        for type, version, kind in catalogue.entries:
            back = plain(catalogue.decode(type, version, kept[f"{type}.{version}.json"]))
            marked, once = catalogue.personal(kind), plain(sample(kind))
            assert {name for name, value in once.items() if back[name] != value} == set(marked)
    assert {name: kept[name] for name in made} == made
    for name in kept.keys() - made.keys():
        type, _, version_text = name.removesuffix(".json").rpartition(".")
        assert any(_reads(catalogue, type, int(version_text), kept[name]) for catalogue in published.values()), name


def _reads(catalogue: Catalogue, type: str, version: int, data: bytes) -> bool:
    return catalogue.knows(type) and catalogue.decode(type, version, data) is not None


def main(service: str) -> None:
    folder = Path("services") / service / "tests" / "golden"
    folder.mkdir(exist_ok=True)
    for catalogue in import_module(f"letopis.{service}.contract").PUBLISHED.values():
        for name, data in golden(catalogue).items():
            if not (folder / name).exists():
                (folder / name).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
