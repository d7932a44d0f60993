"""Sizes and their forecast, pure: what grows with facts grows in proportion, the rest stays."""

from dataclasses import dataclass

PLACES = ("heap", "indexes", "toast", "copy", "bus", "tiles", "views")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes in one place; `fixed` of them are there without a single fact."""

    bytes: int = 0
    fixed: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(bytes=self.bytes + other.bytes, fixed=self.fixed + other.fixed)

    def times(self, factor: float) -> int:
        """Bytes for `factor` times the facts."""
        return round(self.fixed + factor * (self.bytes - self.fixed))


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSize:
    """What one ledger takes, by place: owner's heap, indexes and toast, audit's copy, bus, tiles."""

    ledger: str
    facts: int
    places: dict[str, Size]

    @property
    def whole(self) -> Size:
        return sum(self.places.values(), Size())

    def a_fact(self, place: str = "") -> float:
        """Bytes a fact costs in one place, or in all."""
        size = self.places.get(place, Size()) if place else self.whole
        return (size.bytes - size.fixed) / self.facts if self.facts else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The whole installation: ledgers, views, and the journal, which is emptied behind the sealer and does not grow."""

    ledgers: tuple[LedgerSize, ...]
    views: dict[str, Size]
    journal: int
    a_journal_record: float

    @property
    def bytes(self) -> int:
        return self.times(1)

    def times(self, factor: float) -> int:
        """Bytes of everything for `factor` times the facts of every ledger."""
        grown = [one.whole.times(factor) for one in self.ledgers] + [one.times(factor) for one in self.views.values()]
        return sum(grown) + self.journal
