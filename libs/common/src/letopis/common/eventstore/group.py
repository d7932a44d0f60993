"""Group commit: what arrives while a statement is in flight goes together in the next one, an outcome each."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from letopis.common.database import away_is_unavailable
from letopis.common.envelope import NewFact
from letopis.common.errors import Conflict, EventStoreError, KeyReused, SourceGap, StreamClosed, Unavailable
from letopis.common.eventstore import wire
from letopis.common.eventstore.line import Line, LineLost, Row
from letopis.common.eventstore.port import Appended, StreamFacts

STATEMENTS = {
    "es_append": (
        "(text, uuid[], bytea[], integer[], integer[], text[], bigint[], integer[], boolean[],"
        " uuid[], text[], integer[], bytea[], bytea[], bytea[])"
        " AS SELECT refusal, first_pos, last_pos, replayed"
        " FROM es.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    ),
    "es_append_batch": (
        "(text, uuid, bigint, uuid[], text[], integer[], bytea[], bytea[], bytea[])"
        " AS SELECT '', first_pos, last_pos, replayed FROM es.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    ),
}
# Enough for one fsync to vanish among so many; a group's statement stays short all the same.
MOST = 64
LARGEST = 4 * 1024 * 1024
_REFUSALS = {
    "LE409": (Conflict, "a stream is not at the version expected"),
    "LE410": (StreamClosed, "a stream is closed"),
    "LE421": (KeyReused, "the command came before with another request"),
    "LE422": (EventStoreError, "an append needs facts"),
    "LE424": (SourceGap, "facts of the source are missing before the batch"),
}
# What the database says of itself rather than of the statement.
_BUSY = ("08", "40", "53", "55P03", "57P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Facts for one stream or several; whole or not at all."""

    streams: Sequence[StreamFacts]
    command_id: UUID | None
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Telemetry of a journal; it travels alone."""

    source_id: UUID
    first_seq: int
    facts: Sequence[NewFact]


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: Command | Batch
    answer: asyncio.Future[Appended]
    size: int = 0


@dataclass(slots=True, eq=False)
class Appender:
    """All appends of this process to one ledger, in the order they came; one statement is in flight at a time."""

    ledger: str
    line: Line
    heard: Callable[[str, int], None] | None
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _working: asyncio.Task[None] | None = None

    async def append(self, asked: Command | Batch) -> Appended:
        """Where the facts stand; durable on return.

        A caller that is cancelled before the statement was sent has appended nothing; afterwards nobody can say,
        and the same command id asks again.
        """
        size = sum(len(fact.data) + len(fact.meta) for fact in _facts(asked))
        waiting = _Waiting(asked, asyncio.get_running_loop().create_future(), size)
        self._waiting.append(waiting)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await waiting.answer

    async def _work(self) -> None:
        """Send group after group until nobody waits."""
        group: list[_Waiting] = []
        try:
            while group := self._next():
                await self._send(group)
        except asyncio.CancelledError:
            _fail([*group, *self._waiting], Unavailable("the process is ending"))
            self._waiting.clear()
            raise
        finally:
            self._working = None

    def _next(self) -> list[_Waiting]:
        """Those that may go together: one batch, or commands that share neither an id nor a stream."""
        group: list[_Waiting] = []
        left: deque[_Waiting] = deque()
        taken: set[UUID | str] = set()
        size = 0
        while self._waiting:
            waiting = self._waiting.popleft()
            if waiting.answer.done():
                continue
            asked = waiting.asked
            if isinstance(asked, Batch):
                if group:
                    left.append(waiting)
                else:
                    group.append(waiting)
                break
            names: set[UUID | str] = {one.stream for one in asked.streams}
            if asked.command_id is not None:
                names.add(asked.command_id)
            if group and (len(group) == MOST or size + waiting.size > LARGEST):
                left.append(waiting)
                break
            # Also where it must wait its turn, nobody behind it may overtake it on its streams.
            (group if taken.isdisjoint(names) else left).append(waiting)
            taken |= names
            size += waiting.size
        self._waiting.extendleft(reversed(left))
        # Every process locks commands in this order, so that two groups cannot wait for each other.
        return sorted(group, key=_id)

    async def _send(self, group: Sequence[_Waiting], *, again: bool = False) -> None:
        """One statement for all; where it fails as a whole, each learns honestly what that means for it."""
        try:
            rows = await self._ask(group)
        except LineLost:
            # Carried out or not, nobody knows; an id makes asking again harmless.
            repeated = [] if again else [waiting for waiting in group if _repeatable(waiting.asked)]
            _fail([one for one in group if one not in repeated], Unavailable("the database went away meanwhile"))
            if repeated:
                await self._send(repeated, again=True)
        except Exception as error:  # noqa: BLE001 whatever it is, it belongs to one of those who wait
            told = _told(error)
            if len(group) == 1 or isinstance(told, Unavailable):
                _fail(group, told)
                return
            # Refused as a whole, so nothing of the group was written; only the guilty one shall suffer.
            for waiting in group:
                await self._send([waiting], again=again)
        else:
            self._answer(group, rows)

    async def _ask(self, group: Sequence[_Waiting]) -> list[Row]:
        asked = [waiting.asked for waiting in group]
        async with away_is_unavailable():
            if isinstance(asked[0], Batch):
                return await self.line.ask("es_append_batch", _batch(self.ledger, asked[0]))
            return await self.line.ask("es_append", _commands(self.ledger, asked))  # type: ignore[arg-type]

    def _answer(self, group: Sequence[_Waiting], rows: Sequence[Row]) -> None:
        newest = 0
        for waiting, (refusal, first, last, replayed) in zip(group, rows, strict=True):
            if refusal:
                kind, detail = _REFUSALS[refusal.decode()]
                _fail([waiting], kind(detail))
                continue
            done = Appended(
                ledger=self.ledger, first=wire.number(first), last=wire.number(last), replayed=replayed == b"\x01"
            )
            newest = max(newest, done.last)
            if not waiting.answer.done():
                waiting.answer.set_result(done)
        if newest and self.heard is not None:
            self.heard(self.ledger, newest)


def _facts(asked: Command | Batch) -> Iterator[NewFact]:
    if isinstance(asked, Batch):
        yield from asked.facts
    else:
        for one in asked.streams:
            yield from one.facts


def _commands(ledger: str, asked: Sequence[Command]) -> list[bytes]:
    owners = [place for place, one in enumerate(asked, 1) for _ in one.streams]
    streams = [stream for one in asked for stream in one.streams]
    order = sorted(range(1, len(streams) + 1), key=lambda place: streams[place - 1].stream)
    facts = [fact for stream in streams for fact in stream.facts]
    return [
        ledger.encode(),
        wire.uuids([one.command_id for one in asked]),
        wire.byteas([one.request_hash for one in asked]),
        wire.integers(order),
        wire.integers(owners),
        wire.texts(stream.stream for stream in streams),
        wire.bigints([stream.expected for stream in streams]),
        wire.integers([len(stream.facts) for stream in streams]),
        wire.booleans([stream.closes for stream in streams]),
        *_columns(facts),
    ]


def _batch(ledger: str, asked: Batch) -> list[bytes]:
    return [ledger.encode(), asked.source_id.bytes, wire.bigint(asked.first_seq), *_columns(asked.facts)]


def _columns(facts: Sequence[NewFact]) -> tuple[bytes, ...]:
    return (
        wire.uuids([fact.event_id for fact in facts]),
        wire.texts(fact.type for fact in facts),
        wire.integers([fact.schema_version for fact in facts]),
        wire.byteas([fact.salt for fact in facts]),
        wire.byteas([fact.data for fact in facts]),
        wire.byteas([fact.meta for fact in facts]),
    )


def _id(waiting: _Waiting) -> int:
    asked = waiting.asked
    return asked.command_id.int if isinstance(asked, Command) and asked.command_id is not None else 0


def _repeatable(asked: Command | Batch) -> bool:
    return isinstance(asked, Batch) or asked.command_id is not None


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _told(error: Exception) -> Exception:
    if not isinstance(error, psycopg.Error):
        return error
    state, detail = error.sqlstate or "", str(error).splitlines()[0]
    if state in _REFUSALS:
        return _REFUSALS[state][0](detail)
    if state.startswith(_BUSY):
        return Unavailable("the database is away or busy")
    return EventStoreError(f"the append was refused: {detail}")
