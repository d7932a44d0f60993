"""Partitions: made ahead, filled, and retired into the archive, from which everything is still answered."""

import base64
from contextlib import asynccontextmanager
from hashlib import sha256

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import create_engine, make_url

from letopis.common.database import open_engine
from letopis.common.errors import Conflict, LedgerHole, ObjectDamaged
from letopis.common.eventstore import retiring, schema
from letopis.common.eventstore.partitions import open_ahead
from letopis.common.eventstore.port import StreamFacts
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.eventstore.retiring import CheckpointDiffers, CheckpointTooSmall, PartitionNotFull, Peaks, retire
from letopis.common.ids import uuid7
from letopis.common.leaf import leaf_hash
from letopis.common.migrating import Roles

from .test_contract import fact, prepare

SIZE, REAL = 64, 1 << 24


def small(database):
    """As `prepare`, with partitions of 64 positions."""
    owner = create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))
    roles = Roles(app=make_url(database.app_url).username, projector=make_url(database.projector_url).username)
    with owner.begin() as connection:
        schema.create(connection, ("test", "other"), roles, partition_size=SIZE)
    owner.dispose()


@asynccontextmanager
async def opened(url, **options):
    engine = open_engine(url, autocommit=True)
    try:
        yield PostgresEventStore(engine, **options)
    finally:
        await engine.dispose()


def tree_head(leaves):
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_head(leaves[:k]) + tree_head(leaves[k:])).digest()


def checkpoint(records):
    """The text that audit would have signed of these facts."""
    root = tree_head([leaf_hash(one) for one in records])
    return f"letopis.test/test\n{len(records)}\n{base64.b64encode(root).decode()}\n"


class TestAhead:
    async def test_the_next_partition_is_there_before_the_border(self, database):
        made = database(prepare=prepare)
        async with opened(made.app_url) as store:
            await store.append("test", "a:1", 0, [fact()])
            assert await open_ahead(store.engine) == []
            # As if 2^24 facts had been appended but for three; nobody but a superuser can do so.
            with psycopg.connect(made.superuser_url, autocommit=True) as root:
                root.execute("UPDATE es.ledger SET head = %s WHERE ledger = 'test'", (2 * REAL - 2,))
            assert await open_ahead(store.engine) == [("test", 2)]
            assert await open_ahead(store.engine) == []
            done = await store.append("test", "a:1", 1, [fact() for _ in range(5)])
            assert (done.first, done.last) == (2 * REAL - 1, 2 * REAL + 3)
            assert len(await store.read("test", 2 * REAL - 2, 10)) == 5
            assert await open_ahead(store.engine) == [("test", 3)]
        with psycopg.connect(made.superuser_url, autocommit=True) as root:
            rows = root.execute("SELECT tableoid::regclass::text, count(*) FROM es.event GROUP BY 1 ORDER BY 1")
            assert rows.fetchall() == [("es.event_test_p0", 1), ("es.event_test_p1", 2), ("es.event_test_p2", 3)]
            with pytest.raises(psycopg.Error) as refused:
                root.execute("TRUNCATE es.event_test_p2")
            assert refused.value.sqlstate == "LE403"

    async def test_those_who_read_and_write_are_not_kept_waiting(self, database):
        made = database(prepare=prepare)
        async with opened(made.app_url) as store:
            with psycopg.connect(made.superuser_url) as root:
                root.execute("UPDATE es.ledger SET head = %s WHERE ledger = 'other'", (REAL,))
            with psycopg.connect(made.superuser_url) as reading, psycopg.connect(made.owner_url) as making:
                reading.execute("SELECT count(*) FROM es.event")
                making.execute("SELECT es.open_partition('test', 7)")
                # The reader holds its lock, the maker holds its own, and an append still goes through.
                assert (await store.append("test", "a:1", 0, [fact()])).last == 1

    async def test_the_application_cannot_make_others(self, database):
        with psycopg.connect(database(prepare=prepare).app_url) as app, pytest.raises(errors.InsufficientPrivilege):
            app.execute("SELECT es.open_partition('test', 5)")


class TestRetire:
    @pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 100])
    def test_peaks_make_the_tree_head_of_the_rfc(self, count):
        leaves = [sha256(b"%d" % number).digest() for number in range(count)]
        peaks = Peaks()
        for leaf in leaves:
            peaks.add(leaf)
        assert peaks.root() == tree_head(leaves)

    async def test_a_retired_partition_is_answered_from_the_archive(self, database, tmp_path, monkeypatch):
        monkeypatch.setattr(retiring, "PIECE", 16)
        made, objects = database(prepare=small), tmp_path.as_uri()
        async with opened(made.app_url, archive=objects) as store:
            command, source = uuid7(), uuid7()
            await store.append("test", "old:1", 0, [fact(n) for n in range(3)], command, b"h")
            for version in range(60):
                await store.append("test", "long:1", version, [fact(version)])
            border = [StreamFacts(stream=name, expected=0, facts=[fact(1), fact(2)]) for name in ("x:1", "y:1")]
            spanning = uuid7()
            assert (await store.append_all("test", border, spanning, b"h")).last == 67
            assert await open_ahead(store.engine) == [("test", 2)]
            await store.append_batch("test", source, 1, [fact(n) for n in range(80)])
            before = await store.read("test", 0, 1000)
            streams = {one.stream: await store.load("test", one.stream) for one in before}
            sealed = checkpoint(before[:140])

            with pytest.raises(PartitionNotFull):
                await retire(made.owner_url, objects, "test", 2, sealed)
            with pytest.raises(CheckpointTooSmall):
                await retire(made.owner_url, objects, "test", 0, checkpoint(before[:63]))
            with pytest.raises(CheckpointDiffers):
                await retire(made.owner_url, objects, "test", 0, checkpoint([before[1], before[0], *before[2:90]]))
            assert len(await store.read("test", 0, 1000)) == 147

            for number in (0, 1):
                done = await retire(made.owner_url, objects, "test", number, sealed)
                assert (done.first, done.last) == (number * SIZE + 1, (number + 1) * SIZE)
                # Once more changes nothing, as after a crash between the archive and the detaching.
                assert await retire(made.owner_url, objects, "test", number, sealed) == done
            with psycopg.connect(made.app_url) as app:
                assert app.execute("SELECT min(position), count(*) FROM es.event").fetchone() == (129, 19)

        async with opened(made.app_url, archive=objects) as store:
            assert await store.read("test", 0, 1000) == before
            for after, limit in ((0, 10), (50, 20), (63, 2), (64, 64), (120, 15), (128, 5), (140, 100), (147, 5)):
                assert await store.read("test", after, limit) == before[after : after + limit]
            for stream, records in streams.items():
                assert await store.load("test", stream) == records
            again = await store.append("test", "old:1", 0, [fact() for _ in range(3)], command, b"h")
            assert (again.first, again.last, again.replayed) == (1, 3, True)
            assert (await store.append_all("test", border, spanning, b"h")).replayed
            with pytest.raises(Conflict):
                await store.append("test", "old:1", 0, [fact()])
            assert (await store.append("test", "old:1", 3, [fact()])).last == 148
            assert [one.version for one in await store.load("test", "old:1")] == [1, 2, 3, 4]

        async with opened(made.app_url) as store:
            with pytest.raises(LedgerHole):
                await store.read("test", 120, 20)

        # An archive that was changed is noticed by its hash.
        for path in (tmp_path / "sha256").rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[:-1] + b"x")
        async with opened(made.app_url, archive=objects) as store:
            with pytest.raises(ObjectDamaged):
                await store.read("test", 0, 10)

    async def test_facts_that_were_changed_are_not_archived(self, database, tmp_path):
        made = database(prepare=small)
        async with opened(made.app_url) as store:
            for version in range(SIZE):
                await store.append("test", "a:1", version, [fact(version)])
            sealed = checkpoint(await store.read("test", 0, SIZE))
            with psycopg.connect(made.superuser_url, autocommit=True) as root:
                root.execute("ALTER TABLE es.event_test_p0 DISABLE TRIGGER refuse_change")
                root.execute("UPDATE es.event_test_p0 SET data = 'x' WHERE position = 7")
            with pytest.raises(CheckpointDiffers):
                await retire(made.owner_url, tmp_path.as_uri(), "test", 0, sealed)
            assert len(await store.read("test", 0, SIZE)) == SIZE
