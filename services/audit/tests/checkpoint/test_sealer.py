"""Sealing on a real PostgreSQL: growth, restarts at every step, and copies that are not what was sealed."""

from dataclasses import replace

import psycopg
import pytest

from letopis.audit.checkpoint.lock import HeadMoved, Locked, LockStore
from letopis.audit.checkpoint.sealer import LedgerRestored, LockLost, Sealer, TilesDamaged
from letopis.audit.evidence.verifier.ledger import sealed
from letopis.audit.evidence.verifier.note import head_of
from letopis.audit.log.merkle import root_of
from letopis.audit.log.shelf import Shelf
from letopis.audit.log.tile import Tile, new_tiles, unbundle
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.leaf import leaf_bytes, leaf_hash


@pytest.fixture
def sealer(copies, kit, tmp_path):
    return Sealer(
        ledger="decisions",
        copies=copies,
        shelf=Shelf(tmp_path / "log"),
        locks=LockStore(tmp_path / "lock" / "heads.sqlite"),
        signer=kit.signer("decisions"),
    )


def published(sealer):
    """The checkpoint as a stranger reads it."""
    keys = {sealer.signer.name: sealer.signer.verifier().key}
    return head_of(sealer.shelf.checkpoint(sealer.ledger), keys)


def unguarded(database, *statements):
    """Statements by a superuser who first disables the triggers."""
    with psycopg.connect(database.superuser_url) as connection:
        for table in ("record", "record_decisions", "record_decisions_p0"):
            connection.execute(f"ALTER TABLE copy.{table} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


class TestSeal:
    async def test_signs_what_was_copied(self, sealer, copies, kit):
        records = kit.decisions(700)
        await copies.append("decisions", records)
        head = await sealer.seal()
        assert (head.origin, head.size) == ("letopis.test/log/decisions", 700)
        assert head.root == root_of(map(leaf_hash, records)) == published(sealer).root

    async def test_of_nothing_new_does_nothing(self, sealer, copies, kit):
        assert await sealer.seal() is None
        await copies.append("decisions", kit.decisions(3))
        await sealer.seal()
        assert await sealer.seal() is None
        assert published(sealer).size == 3

    async def test_waits_for_an_object_store_that_is_away(self, sealer, copies, kit, tmp_path):
        """The stop table: seals stop; what is not there is no damage, and nothing is written in its place."""
        records = kit.decisions(5)
        await copies.append("decisions", records[:3])
        await sealer.seal()
        (tmp_path / "log").rename(tmp_path / "unmounted")
        await copies.append("decisions", records[3:])
        with pytest.raises(Unavailable):
            await sealer.seal()
        with pytest.raises(Unavailable):
            sealer.shelf.tile("decisions", Tile(0, 0, 3))
        assert not (tmp_path / "log").exists()
        (tmp_path / "unmounted").rename(tmp_path / "log")
        assert (await sealer.seal()).size == published(sealer).size == 5

    async def test_in_steps_makes_the_tree_of_the_whole(self, sealer, copies, kit):
        records = kit.decisions(600)
        for start, end in ((0, 1), (1, 256), (256, 257), (257, 600)):
            await copies.append("decisions", records[start:end])
            assert (await sealer.seal()).root == root_of(map(leaf_hash, records[:end]))
        tiles = [sealer.shelf.tile("decisions", tile) for tile in new_tiles(0, 600) if tile.level == 0]
        assert sealed(tiles, published(sealer)) == [leaf_hash(one) for one in records]
        bundle = sealer.shelf.entries("decisions", Tile(0, 2, 88))
        assert unbundle(bundle) == [leaf_bytes(one) for one in records[512:]]

    async def test_takes_a_long_ledger_batch_by_batch(self, sealer, copies, kit, monkeypatch):
        monkeypatch.setattr("letopis.audit.checkpoint.sealer.BATCH", 100)
        records = kit.decisions(250)
        await copies.append("decisions", records)
        while await sealer.seal():
            pass
        assert published(sealer).root == root_of(map(leaf_hash, records))

    async def test_refuses_a_copy_with_a_hole(self, sealer, copies, kit):
        records = kit.decisions(5)
        await copies.append("decisions", [*records[:2], *records[3:]])
        with pytest.raises(LedgerHole):
            await sealer.seal()
        assert published(sealer).size == 0


class TestRestart:
    """A sealer that died at any step leaves what the next one completes, with the same bytes."""

    @pytest.mark.parametrize("step", ["write", "lock", "publish"])
    async def test_after_dying_completes_the_same_head(self, sealer, copies, kit, monkeypatch, step):
        records = kit.decisions(300)
        await copies.append("decisions", records[:200])
        await sealer.seal()
        await copies.append("decisions", records[200:])

        def die(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            if step == "write":
                real, count = Shelf._settle, [0]

                def settle(shelf, path, data):
                    count[0] += 1
                    return real(shelf, path, data) if count[0] < 3 else die()

                patch.setattr(Shelf, "_settle", settle)
            elif step == "lock":
                patch.setattr(LockStore, "advance", die)
            else:
                patch.setattr(Shelf, "publish", die)
            with pytest.raises(KeyboardInterrupt):
                await sealer.seal()
        assert published(sealer).size == 200
        await sealer.seal()
        assert published(sealer).root == root_of(map(leaf_hash, records))

    async def test_of_two_sealers_one_wins(self, sealer, copies, kit, monkeypatch):
        await copies.append("decisions", kit.decisions(3))
        real = LockStore.advance

        def late(locks, ledger, before, after):
            monkeypatch.setattr(LockStore, "advance", real)
            real(locks, ledger, before, after)
            real(locks, ledger, before, after)

        monkeypatch.setattr(LockStore, "advance", late)
        with pytest.raises(HeadMoved):
            await sealer.seal()
        assert await sealer.seal() is None
        assert published(sealer).size == 3


class TestNotWhatWasSealed:
    async def test_older_copy_is_refused(self, sealer, copies, kit, audit_database):
        """Row: yesterday's backup cannot fork the log; the lock store is newer."""
        await copies.append("decisions", kit.decisions(20))
        await sealer.seal()
        unguarded(audit_database, "DELETE FROM copy.record WHERE position > 12")
        with pytest.raises(LedgerRestored, match="sealed up to 20"):
            await sealer.seal()
        assert published(sealer).size == 20

    async def test_older_copy_that_grew_again_is_refused(self, sealer, copies, kit, audit_database):
        await copies.append("decisions", kit.decisions(20))
        await sealer.seal()
        unguarded(audit_database, "DELETE FROM copy.record WHERE position > 12")
        other = [replace(one, data=b'{"score":1}') for one in kit.decisions(30)[12:]]
        await copies.append("decisions", other)
        with pytest.raises(LedgerRestored, match="decisions/20 is not the fact"):
            await sealer.seal()

    async def test_damaged_tiles_are_refused(self, sealer, copies, kit):
        await copies.append("decisions", kit.decisions(20))
        await sealer.seal()
        path = sealer.shelf.root / "decisions" / "tile" / "0" / "000.p" / "20"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(TilesDamaged):
            await sealer.seal()

    async def test_lost_tiles_are_refused(self, sealer, copies, kit):
        await copies.append("decisions", kit.decisions(20))
        await sealer.seal()
        (sealer.shelf.root / "decisions" / "tile" / "0" / "000.p" / "20").unlink()
        with pytest.raises(TilesDamaged):
            await sealer.seal()

    async def test_lost_lock_store_is_refused(self, sealer, copies, kit):
        await copies.append("decisions", kit.decisions(20))
        await sealer.seal()
        sealer.locks.path.unlink()
        with pytest.raises(LockLost):
            await sealer.seal()
        assert sealer.locks.head("decisions") == Locked()
        assert published(sealer).size == 20
