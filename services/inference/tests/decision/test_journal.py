"""Journal before answer: what was answered for survives kill -9, torn writes are cut, damage is named."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from letopis.common.envelope import Actor, Meta, NewFact
from letopis.inference.decision.cursor import Cursor, JournalDamaged
from letopis.inference.decision.events import FACTS
from letopis.inference.decision.frame import Entry
from letopis.inference.decision.journal import Journal, JournalFull, Limits, segment_path, segments
from letopis.inference.decision.recovery import Left, forget, recover

Writer = Callable[[Path, list[int]], Awaitable[list[NewFact]]]
Maker = Callable[..., NewFact]
META = Meta(actor=Actor(service="inference"))
ROOMY = Limits(segment_bytes=4096, disk_share=1.1)


def everything(left: Left) -> list[Entry]:
    cursor, found = Cursor(left.directory, left.source_id), []
    while more := cursor.take(left.reach, 7):
        found += more
    return found


class TestAppend:
    async def test_one_turn_is_one_batch(self, tmp_path: Path, fact: Maker) -> None:
        journal = Journal(tmp_path, limits=Limits(disk_share=1.1))
        await journal.open(None, META)
        seqs = await asyncio.gather(*(journal.append([fact(), fact()]) for _ in range(5)))
        journal.close()
        assert list(seqs) == [2, 4, 6, 8, 10]
        (left,) = recover(tmp_path)
        assert {entry.batch for entry in everything(left)} == {1, 2}

    async def test_reads_back_over_many_segments_from_any_place(self, tmp_path: Path, written: Writer) -> None:
        facts = await written(tmp_path, [300] * 40 + [9000] + [10] * 40)
        (left,) = recover(tmp_path)
        assert len(segments(left.directory)) > 4
        assert [entry.fact for entry in everything(left)][1:] == facts
        for after in (0, 1, 17, 41, 42, left.reach.seq):
            rest = Cursor(left.directory, left.source_id, after).take(left.reach, 1000)
            assert [entry.seq for entry in rest] == list(range(after + 1, left.reach.seq + 1))

    async def test_nothing_is_read_beyond_the_synced_reach(self, tmp_path: Path, fact: Maker) -> None:
        """Only records that are synced ship, also in profile `process`, which answers before the sync."""
        journal = Journal(tmp_path, durability="process", limits=ROOMY)
        await journal.open(None, META)
        await journal.append([fact()])
        cursor = Cursor(journal.directory, journal.source_id)
        assert cursor.take(journal.synced, 10) == []
        journal.sync()
        assert len(cursor.take(journal.synced, 10)) == 2
        journal.close()

    async def test_a_nearly_full_disk_refuses(self, tmp_path: Path, fact: Maker) -> None:
        journal = Journal(tmp_path, limits=Limits(disk_share=0.0))
        with pytest.raises(JournalFull):
            journal.append([fact()])
        journal.close()

    async def test_the_first_record_names_the_journal_before(self, tmp_path: Path, written: Writer) -> None:
        await written(tmp_path, [10, 10])
        (before,) = recover(tmp_path)
        journal = Journal(tmp_path, limits=ROOMY)
        await journal.open(before.previous(), META)
        journal.close()
        first = everything(recover(tmp_path)[-1])[0].fact
        opened = FACTS.decode(first.type, first.schema_version, first.data)
        assert opened.previous_source_id == str(before.source_id)
        assert (opened.previous_seq, opened.previous_chain) == (3, before.chain.hex())


class TestRecover:
    async def test_a_living_journal_is_left_alone(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path, limits=ROOMY)
        assert recover(tmp_path) == []
        journal.close()
        (left,) = recover(tmp_path)
        assert left.reach.seq == 0
        forget(left)
        assert recover(tmp_path) == []

    async def test_a_torn_last_record_is_cut(self, tmp_path: Path, written: Writer) -> None:
        facts = await written(tmp_path, [50, 50, 50])
        (left,) = recover(tmp_path)
        path = segment_path(left.directory, 1)
        path.write_bytes(path.read_bytes()[: left.reach.offset - 20])
        (again,) = recover(tmp_path)
        assert not again.damaged
        assert [entry.fact for entry in everything(again)][1:] == facts[:2]
        assert path.stat().st_size == again.reach.offset

    async def test_a_bad_record_before_a_good_one_is_damage_and_stays(self, tmp_path: Path, written: Writer) -> None:
        await written(tmp_path, [50, 50, 50])
        (left,) = recover(tmp_path)
        path = segment_path(left.directory, 1)
        spoiled = bytearray(path.read_bytes())
        second = everything(left)[0].end
        spoiled[second + 70] ^= 1
        path.write_bytes(spoiled)
        (again,) = recover(tmp_path)
        assert again.damaged
        assert again.reach.seq == 1
        assert path.read_bytes() == spoiled

    async def test_damage_in_an_earlier_segment_stops_the_reader_there(self, tmp_path: Path, written: Writer) -> None:
        await written(tmp_path, [900] * 12)
        (left,) = recover(tmp_path)
        start = segments(left.directory)[1]
        path = segment_path(left.directory, start)
        spoiled = bytearray(path.read_bytes())
        spoiled[200] ^= 1
        path.write_bytes(spoiled)
        cursor = Cursor(left.directory, left.source_id)
        assert cursor.take(left.reach, start - 1)[-1].seq == start - 1
        with pytest.raises(JournalDamaged):
            cursor.take(left.reach, 1)

    async def test_a_segment_from_another_journal_does_not_pass(self, tmp_path: Path, written: Writer) -> None:
        await written(tmp_path / "a", [900] * 12)
        await written(tmp_path / "b", [900] * 12)
        (one,), (other,) = recover(tmp_path / "a"), recover(tmp_path / "b")
        start = segments(one.directory)[1]
        segment_path(one.directory, start).write_bytes(segment_path(other.directory, start).read_bytes())
        with pytest.raises(JournalDamaged):
            Cursor(one.directory, one.source_id, start).take(one.reach, 1)


class TestKilled:
    @pytest.mark.parametrize("durability", ["process", "power"])
    def test_every_answered_decision_is_there_after_kill_9(self, tmp_path: Path, durability: str) -> None:
        """inference.md: kill -9 under load, 50 rounds, acknowledged answers missing: 0; chain errors: 0."""
        worker = [
            sys.executable,
            str(Path(__file__).with_name("journal_worker.py")),
            str(tmp_path),
            durability,
        ]
        answered: set[UUID] = set()
        for round_ in range(12):
            with subprocess.Popen(worker, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                lines = [process.stdout.readline() for _ in range(40 + 37 * round_)]
                process.kill()
                lines += process.stdout.readlines()
            answered |= {UUID(line.decode().strip()) for line in lines if line.endswith(b"\n")}
        journals = recover(tmp_path)
        assert len(journals) == 12
        found = {entry.fact.event_id for left in journals for entry in everything(left)}
        assert not any(left.damaged for left in journals)
        assert answered <= found
        for before, after in pairwise(journals):
            opened = FACTS.decode(*_typed(everything(after)[0].fact))
            assert (opened.previous_seq, opened.previous_chain) == (before.reach.seq, before.chain.hex())


def _typed(fact: NewFact) -> tuple[str, int, bytes]:
    return fact.type, fact.schema_version, fact.data


class TestFailedWrite:
    async def test_ends_the_worker_and_releases_no_answer(self, tmp_path: Path, fact: Maker) -> None:
        ended: list[OSError] = []
        journal = Journal(tmp_path, limits=ROOMY, failed=ended.append)
        await journal.open(None, META)
        kept = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, kept[1]))
        try:
            answer = journal.append([fact(2000)])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        assert len(ended) == 1
        assert not answer.done()
        answer.cancel()

    def test_the_default_end_is_the_end_of_the_process(self, tmp_path: Path, fact: Maker) -> None:
        code = (
            "import asyncio, resource, sys\n"
            "from pathlib import Path\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from conftest import META, ROOMY\n"
            "from letopis.common.handling import new_fact\n"
            "from letopis.inference.decision.events import FACTS, JournalDamageFound\n"
            "from letopis.inference.decision.journal import Journal\n"
            "async def main():\n"
            "    journal = Journal(Path(sys.argv[1]), limits=ROOMY)\n"
            "    await journal.open(None, META)\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (200, -1))\n"
            "    damage = JournalDamageFound(source_id='', seq=1, detail='x' * 2000)\n"
            "    await journal.append([new_fact(FACTS, damage, b'{}')])\n"
            "    print('answered')\n"
            "asyncio.run(main())\n"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (74, b"")
