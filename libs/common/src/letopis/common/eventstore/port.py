"""What an event store promises; the contract test proves it of every implementation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from letopis.common.envelope import NewFact, Record
from letopis.common.errors import EventStoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """Where the facts of one append stand; `replayed` when the command had been appended before."""

    ledger: str
    first: int
    last: int
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What a command appends to one stream; with `closes` they are the last that it takes."""

    stream: str
    expected: int
    facts: Sequence[NewFact]
    closes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """A command that was carried out, and the positions of its facts."""

    command_id: UUID
    request_hash: bytes
    first: int
    last: int


class EventStore(Protocol):
    """Facts in ledgers; every method may raise Unavailable when the database is away."""

    async def append(
        self,
        ledger: str,
        stream: str,
        expected: int,
        facts: Sequence[NewFact],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        """Append to a stream whose version MUST be `expected`; durable on return.

        The same command with the same request hash gets the first answer again (`replayed`).
        Raises Conflict, StreamClosed, KeyReused.
        """
        ...

    async def append_all(
        self,
        ledger: str,
        streams: Sequence[StreamFacts],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        """Append to several streams of a ledger by one command: all or none, in this order.

        Each stream stands there once. Raises as `append` does.
        """
        ...

    async def append_batch(self, ledger: str, source_id: UUID, first_seq: int, facts: Sequence[NewFact]) -> Appended:
        """Append telemetry of a journal; facts already there are skipped, a hole raises SourceGap.

        `first`..`last` are the positions newly given; an empty range (first = last + 1) when all were there.
        """
        ...

    async def source_position(self, ledger: str, source_id: UUID) -> int:
        """The last sequence number taken from a journal, 0 for none."""
        ...

    async def load(self, ledger: str, stream: str) -> list[Record]:
        """All facts of a stream in order."""
        ...

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        """Up to `limit` facts with positions after `after`, contiguous from there (else LedgerHole)."""
        ...

    async def head(self, ledger: str) -> int:
        """The last position given out."""
        ...

    async def stream_head(self, ledger: str, stream: str) -> int:
        """The version of a stream, 0 if it has no facts."""
        ...

    async def find_command(self, ledger: str, command_id: UUID) -> CommandRow | None:
        """The command, if it was carried out."""
        ...


def check(streams: Sequence[StreamFacts]) -> None:
    """What an append cannot be: without facts, or twice to one stream."""
    if not streams or not all(one.facts for one in streams):
        raise EventStoreError("an append needs facts")
    if len({one.stream for one in streams}) < len(streams):
        raise EventStoreError("a stream stands twice in one append")
