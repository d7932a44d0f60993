"""A command's way: look for its earlier answer, fold the stream, decide, append."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from letopis.common import faults
from letopis.common.decider import Aggregate, fold
from letopis.common.envelope import Meta, NewFact, Record, encode_meta
from letopis.common.errors import Conflict, KeyReused, StreamClosed
from letopis.common.eventstore.port import CommandRow, EventStore, StreamFacts
from letopis.common.ids import salt, uuid7
from letopis.common.serialization import Catalogue

S = TypeVar("S")
TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[S]):
    """An object as its facts tell it, and the version they reach."""

    state: S
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What a command left behind. It is a function of stored facts alone, so a repeated command gets it again."""

    id: str
    stream: str
    version: int
    ledger: str
    position: int
    records: tuple[Record, ...]
    replayed: bool


class FactSealer(Protocol):
    """Seals personal fields of facts of one ledger; see letopis.common.sealing."""

    def seal(self, type: str, event_id: UUID, subject: str, field: str, content: bytes) -> str: ...


def new_fact(catalogue: Catalogue, fact: object, meta: bytes, sealer: FactSealer | None = None) -> NewFact:
    """The fact as final bytes, with a fresh event id and salt; personal fields are sealed, or it is Unsealed."""
    event_id = uuid7()
    seal = partial(sealer.seal, catalogue.name(fact)[0], event_id) if sealer is not None else None
    encoded = catalogue.encode(fact, seal)
    return NewFact(
        event_id=event_id,
        type=encoded.type,
        schema_version=encoded.schema_version,
        salt=salt(),
        data=encoded.data,
        meta=meta,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands on one ledger are handled."""

    store: EventStore
    ledger: str
    sealer: FactSealer | None = None

    async def load(self, aggregate: Aggregate[Any, Any, S], id: str) -> Loaded[S]:
        """The state of one object; version 0 and the initial state if it has no facts."""
        records = await self.store.load(self.ledger, aggregate.stream(id))
        facts = (aggregate.facts.decode(one.type, one.schema_version, one.data) for one in records)
        return Loaded(state=fold(aggregate.decider, facts), version=len(records))

    async def find(self, command_id: UUID, request_hash: bytes) -> Handled | None:
        """The answer a command got before; KeyReused if it came with another request."""
        row = await self.store.find_command(self.ledger, command_id)
        if row is None:
            return None
        if row.request_hash != request_hash:
            raise KeyReused
        return await self._again(row)

    async def handle(
        self,
        aggregate: Aggregate[Any, Any, Any],
        id: str,
        command: object,
        meta: Meta,
        command_id: UUID | None = None,
        request_hash: bytes = b"",
    ) -> Handled:
        """Decide and append; retried when somebody else was first. The facts are durable on return."""
        command_id = command_id or uuid7()
        stream, circumstances = aggregate.stream(id), encode_meta(meta)
        for attempt in range(1, TRIES + 1):
            if (before := await self.find(command_id, request_hash)) is not None:
                return before
            faults.point("handle.not_found")
            loaded = await self.load(aggregate, id)
            faults.point("handle.loaded")
            facts = aggregate.decider.decide(loaded.state, command)
            if not facts:
                head = await self.store.head(self.ledger)
                return Handled(
                    id=id,
                    stream=stream,
                    version=loaded.version,
                    ledger=self.ledger,
                    position=head,
                    records=(),
                    replayed=False,
                )
            fresh = [new_fact(aggregate.facts, fact, circumstances, self.sealer) for fact in facts]
            one = StreamFacts(stream=stream, expected=loaded.version, facts=fresh, closes=aggregate.closes(facts))
            try:
                done = await self.store.append_all(self.ledger, [one], command_id, request_hash)
            except (Conflict, StreamClosed):
                if attempt == TRIES:
                    raise
                continue
            faults.point("handle.appended")
            row = CommandRow(command_id=command_id, request_hash=request_hash, first=done.first, last=done.last)
            return await self._again(row, replayed=done.replayed)
        raise Conflict

    async def handle_all(
        self,
        aggregate: Aggregate[Any, Any, Any],
        commands: Sequence[tuple[str, object]],
        meta: Meta,
        command_id: UUID,
        request_hash: bytes = b"",
    ) -> Handled:
        """One command over several objects, each of which MUST decide on something: all is appended, or nothing."""
        circumstances = encode_meta(meta)
        for attempt in range(1, TRIES + 1):
            if (before := await self.find(command_id, request_hash)) is not None:
                return before
            streams = []
            for id, command in commands:
                loaded = await self.load(aggregate, id)
                facts = aggregate.decider.decide(loaded.state, command)
                fresh = [new_fact(aggregate.facts, fact, circumstances, self.sealer) for fact in facts]
                streams.append(
                    StreamFacts(
                        stream=aggregate.stream(id),
                        expected=loaded.version,
                        facts=fresh,
                        closes=aggregate.closes(facts),
                    )
                )
            try:
                done = await self.store.append_all(self.ledger, streams, command_id, request_hash)
            except (Conflict, StreamClosed):
                if attempt == TRIES:
                    raise
                continue
            row = CommandRow(command_id=command_id, request_hash=request_hash, first=done.first, last=done.last)
            return await self._again(row, replayed=done.replayed)
        raise Conflict

    async def _again(self, row: CommandRow, *, replayed: bool = True) -> Handled:
        records = tuple(await self.store.read(self.ledger, row.first - 1, row.last - row.first + 1))
        last = records[-1]
        return Handled(
            id=last.stream.partition(":")[2],
            stream=last.stream,
            version=last.version,
            ledger=self.ledger,
            position=last.position,
            records=records,
            replayed=replayed,
        )
