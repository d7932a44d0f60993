"""From the journal to the ledger: everything once, nothing past damage, and segments go only when proved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.common.clock import FixedClock
from letopis.common.envelope import Actor, Meta, NewFact
from letopis.common.errors import Invalid, Unavailable
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.eventstore.port import Appended
from letopis.common.running import end
from letopis.inference.decision.checkpoint import CheckpointKey, covered
from letopis.inference.decision.events import FACTS, JournalDamageFound
from letopis.inference.decision.journal import Journal, Limits, segment_path, segments
from letopis.inference.decision.recovery import recover
from letopis.inference.decision.shipper import LEDGER, Shipper

Writer = Callable[[Path, list[int]], Awaitable[list[NewFact]]]
Maker = Callable[..., NewFact]
META = Meta(actor=Actor(service="inference"))
ROOMY = Limits(segment_bytes=4096, disk_share=1.1)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Away(MemoryEventStore):
    """A database that refuses the first few appends."""

    refusals = 2

    async def append_batch(self, ledger: str, source_id: UUID, first_seq: int, facts: Sequence[NewFact]) -> Appended:
        if Away.refusals:
            Away.refusals -= 1
            raise Unavailable
        return await super().append_batch(ledger, source_id, first_seq, facts)


class Head:
    """A checkpoint whose size the test sets."""

    size = 0

    async def __call__(self) -> int:
        return self.size


@asynccontextmanager
async def shipping(root: Path, store: MemoryEventStore, head: Head | None = None) -> AsyncIterator[Shipper]:
    left = recover(root)
    journal = Journal(root, limits=ROOMY)
    await journal.open(left[-1].previous() if left else None, META)
    shipper = Shipper(journal, left, store, head or Head(), META)
    task = asyncio.create_task(shipper.run())
    try:
        yield shipper
    finally:
        await end(task)
        journal.close()


class Heard:
    """Waits for a position of the decisions ledger."""

    def __init__(self) -> None:
        self.news = asyncio.Condition()
        self.last = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def __call__(self, ledger: str, last: int) -> None:
        self.last = last
        self.tasks.add(asyncio.create_task(self._tell()))

    async def _tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def position(self, position: int) -> None:
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: self.last >= position)


def ids(store: MemoryEventStore) -> list[UUID]:
    kind = "decisions.decision.made"
    return [record.event_id for record in store.ledgers.get(LEDGER, []) if record.type == kind]


class TestShip:
    async def test_old_journals_first_then_the_living_one_each_record_once(
        self, tmp_path: Path, written: Writer, fact: Maker
    ) -> None:
        old = await written(tmp_path, [300] * 30)
        (left,) = recover(tmp_path)
        heard = Heard()
        store = MemoryEventStore(FixedClock(NOW), heard)
        await store.append_batch(LEDGER, left.source_id, 1, [fact() for _ in range(5)])
        async with shipping(tmp_path, store) as shipper:
            fresh = [fact(300) for _ in range(40)]
            await asyncio.gather(*(shipper.journal.append([one]) for one in fresh))
            await heard.position(left.reach.seq + 41)
        assert ids(store)[5:] == [one.event_id for one in old[4:]] + [one.event_id for one in fresh]
        assert store.sources[LEDGER, left.source_id] == left.reach.seq

    async def test_waits_for_a_database_that_is_away(self, tmp_path: Path, fact: Maker) -> None:
        Away.refusals = 2
        heard = Heard()
        store = Away(FixedClock(NOW), heard)
        async with shipping(tmp_path, store) as shipper:
            one = fact()
            await shipper.journal.append([one])
            await heard.position(2)
            assert ids(store) == [one.event_id]
        assert Away.refusals == 0


class TestDamage:
    async def test_ships_nothing_after_a_bad_record_and_names_it(self, tmp_path: Path, written: Writer) -> None:
        old = await written(tmp_path, [900] * 12)
        (left,) = recover(tmp_path)
        start = segments(left.directory)[1]
        path = segment_path(left.directory, start)
        spoiled = bytearray(path.read_bytes())
        spoiled[200] ^= 1
        path.write_bytes(spoiled)
        heard, head = Heard(), Head()
        store = MemoryEventStore(FixedClock(NOW), heard)
        async with shipping(tmp_path, store, head) as shipper:
            await heard.position(start + 1)
            head.size = 1000
            await shipper.let_go()
        assert ids(store) == [one.event_id for one in old[: start - 2]]
        found = [
            FACTS.decode(record.type, record.schema_version, record.data)
            for record in store.ledgers[LEDGER]
            if record.type == "decisions.journal.damaged"
        ]
        assert [(one.source_id, one.seq) for one in found if isinstance(one, JournalDamageFound)] == [
            (str(left.source_id), start)
        ]
        assert path.read_bytes() == spoiled

    async def test_a_ledger_that_knows_more_than_the_journal_is_an_alarm(
        self, tmp_path: Path, written: Writer, fact: Maker
    ) -> None:
        await written(tmp_path, [50])
        (left,) = recover(tmp_path)
        heard = Heard()
        store = MemoryEventStore(FixedClock(NOW), heard)
        await store.append_batch(LEDGER, left.source_id, 1, [fact() for _ in range(9)])
        async with shipping(tmp_path, store) as shipper:
            await heard.position(11)
            assert shipper.damaged == {left.source_id}


class TestLetGo:
    async def test_a_segment_goes_only_under_a_signed_checkpoint(
        self, tmp_path: Path, written: Writer, fact: Maker
    ) -> None:
        await written(tmp_path, [900] * 12)
        (left,) = recover(tmp_path)
        heard, head = Heard(), Head()
        store = MemoryEventStore(FixedClock(NOW), heard)
        async with shipping(tmp_path, store, head) as shipper:
            await asyncio.gather(*(shipper.journal.append([fact(900)]) for _ in range(2)))
            await heard.position(left.reach.seq + 3)
            for _ in range(12):
                await shipper.journal.append([fact(900)])
            await heard.position(left.reach.seq + 15)
            assert await shipper.let_go() == 0
            head.size = left.reach.seq
            await shipper.let_go()
            assert not left.directory.exists()
            living = segments(shipper.journal.directory)
            head.size = await store.head(LEDGER)
            await shipper.let_go()
            assert segments(shipper.journal.directory) == living[-1:]


class TestCheckpoint:
    """Audit's own signer is the outside judge of what we accept."""

    def signer(self) -> Signer:
        return Signer("bank.example/decisions", Ed25519PrivateKey.generate())

    def test_accepts_what_the_log_signed(self) -> None:
        signer = self.signer()
        note = sign_note(Checkpoint("bank.example/decisions", 4711, bytes(32)).text(), self.signer(), signer)
        assert covered(note, CheckpointKey.parse(signer.verifier().text())) == 4711

    def test_refuses_another_key_and_another_size(self) -> None:
        signer, text = self.signer(), Checkpoint("bank.example/decisions", 4711, bytes(32)).text()
        key = CheckpointKey.parse(signer.verifier().text())
        with pytest.raises(Invalid):
            covered(sign_note(text, self.signer()), key)
        with pytest.raises(Invalid):
            covered(sign_note(text, signer).replace("4711", "4712"), key)
        with pytest.raises(Invalid):
            covered("nothing", key)
