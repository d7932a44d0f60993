"""The event store's twin in memory, for tests of what stands above it; the same contract test proves both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from letopis.common.clock import Clock
from letopis.common.envelope import NewFact, Record
from letopis.common.errors import Conflict, KeyReused, SourceGap, StreamClosed
from letopis.common.eventstore.port import Appended, CommandRow, StreamFacts, check


@dataclass(slots=True)
class MemoryEventStore:
    """Ledgers as lists; one event loop is its lock."""

    clock: Clock
    heard: Callable[[str, int], None] | None = None
    ledgers: dict[str, list[Record]] = field(default_factory=dict)
    commands: dict[tuple[str, UUID], CommandRow] = field(default_factory=dict)
    sources: dict[tuple[str, UUID], int] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)

    async def append(
        self,
        ledger: str,
        stream: str,
        expected: int,
        facts: Sequence[NewFact],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        one = StreamFacts(stream=stream, expected=expected, facts=facts)
        return await self.append_all(ledger, [one], command_id, request_hash)

    async def append_all(
        self,
        ledger: str,
        streams: Sequence[StreamFacts],
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Appended:
        check(streams)
        if command_id is not None and (twin := self.commands.get((ledger, command_id))) is not None:
            if twin.request_hash != request_hash:
                raise KeyReused
            return Appended(ledger=ledger, first=twin.first, last=twin.last, replayed=True)
        for one in sorted(streams, key=lambda one: one.stream):
            if (ledger, one.stream) in self.closed:
                raise StreamClosed(f"stream {one.stream} is closed")
            if await self.stream_head(ledger, one.stream) != one.expected:
                raise Conflict(f"stream {one.stream} is not at version {one.expected}")
        written = [self._write(ledger, one.stream, one.expected, one.facts, command_id) for one in streams]
        self.closed |= {(ledger, one.stream) for one in streams if one.closes}
        done = Appended(ledger=ledger, first=written[0].first, last=written[-1].last)
        if command_id is not None:
            self.commands[ledger, command_id] = CommandRow(
                command_id=command_id, request_hash=request_hash, first=done.first, last=done.last
            )
        return done

    async def append_batch(self, ledger: str, source_id: UUID, first_seq: int, facts: Sequence[NewFact]) -> Appended:
        seq = self.sources.get((ledger, source_id), 0)
        if first_seq > seq + 1:
            raise SourceGap(f"source {source_id} has delivered {seq}, the batch starts at {first_seq}")
        stream, skip = f"journal:{source_id}", seq + 1 - first_seq
        if skip >= len(facts):
            last = self._last_position(ledger, stream)
            return Appended(ledger=ledger, first=last + 1, last=last, replayed=True)
        done = self._write(ledger, stream, seq, facts[skip:], None)
        self.sources[ledger, source_id] = seq + len(facts) - skip
        return Appended(ledger=ledger, first=done.first, last=done.last, replayed=skip > 0)

    async def source_position(self, ledger: str, source_id: UUID) -> int:
        return self.sources.get((ledger, source_id), 0)

    async def load(self, ledger: str, stream: str) -> list[Record]:
        return [record for record in self.ledgers.get(ledger, []) if record.stream == stream]

    async def read(self, ledger: str, after: int, limit: int) -> list[Record]:
        return self.ledgers.get(ledger, [])[after : after + limit]

    async def head(self, ledger: str) -> int:
        return len(self.ledgers.get(ledger, []))

    async def stream_head(self, ledger: str, stream: str) -> int:
        return len(await self.load(ledger, stream))

    async def find_command(self, ledger: str, command_id: UUID) -> CommandRow | None:
        return self.commands.get((ledger, command_id))

    def _last_position(self, ledger: str, stream: str) -> int:
        positions = (record.position for record in self.ledgers.get(ledger, []) if record.stream == stream)
        return max(positions, default=0)

    def _write(
        self, ledger: str, stream: str, version: int, facts: Sequence[NewFact], command_id: UUID | None
    ) -> Appended:
        records = self.ledgers.setdefault(ledger, [])
        base, prev = len(records), self._last_position(ledger, stream)
        for number, fact in enumerate(facts, 1):
            records.append(
                Record(
                    ledger=ledger,
                    position=base + number,
                    stream=stream,
                    version=version + number,
                    prev=prev if number == 1 else base + number - 1,
                    event_id=fact.event_id,
                    type=fact.type,
                    schema_version=fact.schema_version,
                    recorded_at=self.clock.now(),
                    command_id=command_id,
                    salt=fact.salt,
                    data=fact.data,
                    meta=fact.meta,
                )
            )
        if self.heard is not None:
            self.heard(ledger, len(records))
        return Appended(ledger=ledger, first=base + 1, last=len(records))
