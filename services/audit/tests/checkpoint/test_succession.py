"""After a restore: what is left is found, the log is mended or succeeded, and nothing that was signed is forked."""

from dataclasses import replace

import psycopg
import pytest

from letopis.audit.checkpoint.lock import Locked, LockStore, Succession
from letopis.audit.checkpoint.sealer import LedgerRestored, LockLost, Sealer
from letopis.audit.checkpoint.succession import assess, mend, succession_notes
from letopis.audit.log.merkle import root_of
from letopis.audit.log.note import Checkpoint, open_note
from letopis.audit.log.sealed import SealedLog, signer_of
from letopis.audit.log.shelf import Shelf
from letopis.common.leaf import leaf_hash

NEXT = "since-20261122T000000000000Z/decisions"


@pytest.fixture
def sealer(copies, kit, tmp_path):
    return Sealer(
        ledger="decisions",
        copies=copies,
        shelf=Shelf(tmp_path / "log"),
        locks=LockStore(tmp_path / "lock" / "heads.sqlite"),
        signer=kit.signer("decisions"),
    )


@pytest.fixture
def history(sealer, copies, kit):
    """Thirty decisions, sealed at 12, 20 and 30."""

    async def made():
        records = kit.decisions(30)
        for start, end in ((0, 12), (12, 20), (20, 30)):
            await copies.append("decisions", records[start:end])
            await sealer.seal()
        return records

    return made


def cut(database, position):
    """Yesterday's copy is back."""
    with psycopg.connect(database.superuser_url) as connection:
        for table in ("record", "record_decisions", "record_decisions_p0"):
            connection.execute(f"ALTER TABLE copy.{table} DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM copy.record WHERE position > %s", (position,))


def head(records):
    return Locked(len(records), root_of(map(leaf_hash, records)))


class TestAssess:
    async def test_finds_nothing_wrong_with_what_was_sealed(self, sealer, history):
        records = await history()
        found = await assess(sealer)
        assert (found.sealed, found.kept, found.lost) == (head(records), head(records), False)

    async def test_finds_the_largest_head_that_is_left(self, sealer, history, audit_database):
        records = await history()
        cut(audit_database, 25)
        found = await assess(sealer)
        assert (found.kept, found.sealed, found.lost) == (head(records[:20]), head(records), True)

    async def test_is_not_misled_by_other_facts_at_lost_positions(self, sealer, history, copies, kit, audit_database):
        records = await history()
        cut(audit_database, 12)
        await copies.append("decisions", [replace(one, data=b'{"score":1}') for one in kit.decisions(40)[12:]])
        found = await assess(sealer)
        assert (found.kept, found.lost) == (head(records[:12]), True)

    async def test_takes_a_lost_lock_store_for_lost_heads(self, sealer, history):
        records = await history()
        sealer.locks.path.unlink()
        found = await assess(sealer)
        assert (found.sealed, found.kept, found.lock_lost, found.lost) == (head(records), head(records), True, True)


class TestMend:
    async def test_writes_lost_tiles_again_and_the_log_goes_on(self, sealer, history, copies, kit, tmp_path):
        records = await history()
        for path in (tmp_path / "log" / "decisions" / "tile").rglob("*"):
            if path.is_file() and path.name != "12":
                path.unlink()
        await mend(sealer)
        assert await sealer.seal() is None
        await copies.append("decisions", kit.decisions(33)[30:])
        assert (await sealer.seal()).root == root_of(map(leaf_hash, kit.decisions(33)))
        assert records == kit.decisions(30)


class TestSucceeding:
    async def test_seals_in_a_log_of_its_own_and_leaves_the_closed_one(self, sealer, history, copies, kit, tmp_path):
        """Row: a restored ledger goes on without a fork; the old log keeps its last head."""
        records = await history()
        kept = records[:20]
        one = Succession(ledger="decisions", log=NEXT, closed="decisions", sealed=head(records), kept=head(kept))
        closed = sealer.shelf.checkpoint("decisions")
        sealer.locks.succeed(one)
        sealer.locks.succeed(one)
        assert (await sealer.seal()).origin == f"letopis.test/log/{NEXT}"
        await copies.append("decisions", kit.decisions(33)[30:])
        assert (await sealer.seal()).size == 33
        assert sealer.shelf.checkpoint("decisions") == closed
        assert sealer.locks.head("decisions") == head(records)
        log = SealedLog(sealer.shelf, {"decisions": sealer.signer}, sealer.locks.log)
        assert log.head("decisions") == Checkpoint(f"letopis.test/log/{NEXT}", 33, log.root("decisions", 33))
        assert log.inclusion("decisions", 7, 33)

    async def test_is_told_in_a_note_signed_in_both_names(self, sealer, history, kit):
        records = await history()
        one = Succession(
            ledger="decisions", log=NEXT, closed="decisions", sealed=head(records), kept=head(records[:20])
        )
        sealer.locks.succeed(one)
        [note] = succession_notes(LockStore(sealer.locks.path), sealer.signer, "decisions")
        for log in ("decisions", NEXT):
            text = open_note(note, [signer_of(sealer.signer, "decisions", log).verifier()])
        kind, *lines = text.splitlines()
        assert kind == "letopis-succession-v1"
        assert (lines[0], lines[1], lines[3], lines[4]) == (
            "letopis.test/log/decisions",
            "30",
            f"letopis.test/log/{NEXT}",
            "20",
        )

    async def test_a_lost_lock_store_stops_the_successor_too(self, sealer, history):
        await history()
        one = Succession(ledger="decisions", log=NEXT, closed="decisions", sealed=Locked(30, b"r"), kept=Locked())
        sealer.locks.succeed(one)
        await sealer.seal()
        sealer.locks.path.unlink()
        with pytest.raises(LockLost):
            await sealer.seal()

    async def test_the_shorter_copy_is_named_with_its_first_lost_position(self, sealer, history, audit_database):
        await history()
        cut(audit_database, 25)
        with pytest.raises(LedgerRestored, match="26 to 30 are missing") as told:
            await sealer.seal()
        assert told.value.extra["position"] == 26
