"""A stored fact as a view or a reaction is told it."""

from dataclasses import dataclass
from typing import Any, Protocol

from letopis.common.envelope import Meta, Record, decode_meta


class Facts(Protocol):
    """What reads facts; a Catalogue does."""

    def knows(self, type: str) -> bool: ...

    def decode(self, type: str, schema_version: int, data: bytes) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The record, and the fact it holds."""

    record: Record
    fact: Any

    @property
    def meta(self) -> Meta:
        """Who, why and by which authorization; decoded when asked for, since most views do not."""
        return decode_meta(self.record.meta)


def tell(record: Record, facts: Facts) -> Told | None:
    """The record with its fact, or None where the catalogue does not know its stored name."""
    if not facts.knows(record.type):
        return None
    return Told(record=record, fact=facts.decode(record.type, record.schema_version, record.data))
