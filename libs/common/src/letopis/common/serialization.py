"""Canonical bytes of facts: written once, hashed, and never encoded again."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, Protocol, get_type_hints
from uuid import UUID

import msgspec

from letopis.common.errors import EventStoreError

LARGEST = 2**53 - 1
_ENCODER = msgspec.json.Encoder(order="sorted")
_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class NotCanonical(EventStoreError):
    """A value that has no single spelling in JSON, or would silently lose something."""

    code = "serialization.not_canonical"
    title = "The value cannot be written as canonical JSON"


class UnknownFact(EventStoreError):
    """A stored name and version that no catalogue at hand can read."""

    code = "serialization.unknown_fact"
    title = "A stored fact has a name or version that is not known here"


class Real(float):
    """A float that may be NaN or infinite; those are written as strings, never as null."""

    __slots__ = ()


class BigInt(int):
    """An integer of any size, always written as a string."""


class Unsealed(EventStoreError):
    """A fact with personal fields was about to be written in clear: a mistake in our code."""

    code = "serialization.unsealed"
    title = "A fact with personal fields cannot be written without a sealer"


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field (`Annotated[str, Personal("person:{person}")]`) as personal data.

    The template names the subject from other fields of the same fact. The field's type MUST admit a text, which is
    what stands there once it is sealed.
    """

    subject: str


class Seal(Protocol):
    """What turns the canonical bytes of a personal field into the text that is stored."""

    def __call__(self, subject: str, field: str, content: bytes) -> str: ...


def personal(kind: type) -> dict[str, str]:
    """The subject's template of each personal field of a fact class."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: mark.subject
        for name, hint in hints.items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, Personal)
    }


def plain(value: object) -> Any:  # noqa: C901 one closed list of kinds
    """The value as JSON kinds, or NotCanonical with the reason."""
    match value:
        case None | bool() | UUID():
            return value
        case str():
            if not value.isascii():
                _whole(value)
            return str(value)
        case BigInt():
            return str(int(value))
        case Enum():
            return plain(value.value)
        case int():
            if not -LARGEST <= value <= LARGEST:
                raise NotCanonical(f"integer {value} is beyond 2^53-1; use BigInt")
            return value
        case Real():
            return _spelling(value)
        case float():
            if not math.isfinite(value):
                raise NotCanonical(f"{value} is not a JSON number; use Real")
            return value
        case Mapping():
            return {_key(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case datetime():
            if value.tzinfo is None:
                raise NotCanonical(f"{value.isoformat()} has no time zone")
            return value.astimezone(UTC)
        case date() | bytes():
            return value
        case Decimal():
            if not value.is_finite():
                raise NotCanonical(f"{value} is not a finite decimal")
            return value
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
        case _:
            raise NotCanonical(f"{type(value).__name__} has no canonical form")


def canonical(value: object) -> bytes:
    """The one byte string of a value: sorted keys, every field present, no loss."""
    return _ENCODER.encode(plain(value))


class EncodedFact(NamedTuple):
    """What is stored of a fact."""

    type: str
    schema_version: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcast:
    """How the JSON object of one released shape becomes that of the next."""

    type: str
    from_version: int
    change: Callable[[dict[str, Any]], dict[str, Any]]


class Catalogue:
    """The facts of a room: stored names and schema versions, and the classes that read them."""

    def __init__(self, entries: Iterable[tuple[str, int, type]], upcasts: Iterable[Upcast] = ()) -> None:
        self.entries = tuple(entries)
        self.upcasts = {(cast.type, cast.from_version): cast for cast in upcasts}
        # Asked for every stored fact, so it is not made each time.
        self._types = frozenset(name for name, _, _ in self.entries)
        self._class = {(name, version): kind for name, version, kind in self.entries}
        self._name = {kind: (name, version) for name, version, kind in self.entries}
        if len(self._class) != len(self.entries) or len(self._name) != len(self.entries):
            raise UnknownFact("a stored name or a fact class stands twice in a catalogue")
        self._decoders: dict[tuple[str, int], msgspec.json.Decoder[Any]] = {}
        self._personal: dict[type, dict[str, str]] = {}

    def __or__(self, other: "Catalogue") -> "Catalogue":
        mine = set(self.entries)
        added = [entry for entry in other.entries if entry not in mine]
        return Catalogue((*self.entries, *added), (*self.upcasts.values(), *other.upcasts.values()))

    @property
    def types(self) -> frozenset[str]:
        return self._types

    def knows(self, type: str) -> bool:
        """Whether some version of this stored name is readable here."""
        return type in self.types

    def name(self, fact: object) -> tuple[str, int]:
        """The stored name and schema version of a fact."""
        try:
            return self._name[fact.__class__]
        except KeyError:
            raise UnknownFact(f"{fact.__class__.__name__} is in no catalogue here") from None

    def personal(self, kind: type) -> dict[str, str]:
        """The personal fields of a fact class, found once."""
        if kind not in self._personal:
            self._personal[kind] = personal(kind)
        return self._personal[kind]

    def marked(self, type: str, schema_version: int) -> dict[str, str]:
        """The personal fields of a stored name and version; none where no class reads it."""
        kind = self._class.get((type, schema_version))
        return self.personal(kind) if kind is not None else {}

    def encode(self, fact: object, seal: Seal | None = None) -> EncodedFact:
        """The fact's bytes; personal fields MUST be sealed before anything is hashed, so Unsealed without a `seal`."""
        name, marked = self.name(fact), self.personal(fact.__class__)
        if not marked:
            return EncodedFact(*name, canonical(fact))
        if seal is None:
            raise Unsealed(f"{name[0]} has personal fields: {', '.join(marked)}")
        told = plain(fact)
        sealed = {
            field: seal(who.format_map(told), field, _ENCODER.encode(told[field])) for field, who in marked.items()
        }
        return EncodedFact(*name, _ENCODER.encode(told | sealed))

    def decode(self, type: str, schema_version: int, data: bytes) -> Any:
        """The fact; older shapes pass through their upcasts. UnknownFact if no class reads it."""
        key = (type, schema_version)
        if key in self._class:
            decoder = self._decoders.get(key)
            if decoder is None:
                decoder = msgspec.json.Decoder(self._class[key], dec_hook=_revive)
                self._decoders[key] = decoder
            return decoder.decode(data)
        document, version = msgspec.json.decode(data), schema_version
        while (cast := self.upcasts.get((type, version))) is not None:
            document, version = cast.change(document), version + 1
            if (type, version) in self._class:
                return msgspec.convert(
                    document, self._class[type, version], dec_hook=_revive, builtin_types=(), strict=True
                )
        raise UnknownFact(f"{type} version {schema_version}")


def _whole(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotCanonical("text holds a lone surrogate") from None


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise NotCanonical(f"key {key!r} is not a string")
    _whole(key)
    return key


def _spelling(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def _revive(kind: type, value: Any) -> Any:
    if kind is Real:
        return Real(_SPELLED.get(value, value))
    if kind is BigInt:
        return BigInt(value)
    raise NotImplementedError(f"{kind} in a fact")
