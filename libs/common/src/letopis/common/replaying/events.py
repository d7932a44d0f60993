"""Which facts were told again to whom, who asked for it, and that it was done; in the service's own ledger."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAsked:
    """The range is in positions, whatever it was asked in: so it is the same whenever it is read. No types: all."""

    replay_id: str
    subscriber: str
    ledger: str
    types: tuple[str, ...]
    first: int
    last: int
    subject: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFinished:
    """Everything stands in the subscriber's subject; `published` facts of the range were of the asked types."""

    replay_id: str
    published: int


def replay_facts(ledger: str) -> Catalogue:
    """The catalogue of a ledger's replays; every owner of ledgers has its own."""
    return Catalogue([(f"{ledger}.replay.asked", 1, ReplayAsked), (f"{ledger}.replay.finished", 1, ReplayFinished)])
