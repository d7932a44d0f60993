"""The forecast for twice the data against twice the data, in a real PostgreSQL, NATS and tree of tiles."""

import random
from uuid import UUID, uuid4

import nats
import psycopg
import pytest

from letopis.audit.log.growth import grow
from letopis.audit.log.shelf import Shelf
from letopis.common.ids import uuid7
from letopis.local.size.forecast import PLACES, LedgerSize, Size, Sizes
from letopis.local.size.measuring import journal_of, of_ledger, of_views, streams, tiles_of

SOURCE = uuid4()
# Small beside a tile of 256, as a second's facts are: partial tiles of every width come about.
BATCH = 125
COUNT = 6000
CHANCE = random.Random(7)
APPEND = "SELECT es.append_batch('decisions', %s, %s, %s, %s, %s, %s, %s, %s)"


class Grown:
    """A decisions ledger with its copy, view, stream and tiles, which grows by a batch."""

    def __init__(self, owner, audit, shelf, js):
        self.owner, self.audit, self.shelf, self.js, self.facts = owner, audit, shelf, js, 0

    async def grow(self, count):
        for _ in range(0, count, BATCH):
            data = [CHANCE.randbytes(CHANCE.randint(150, 900)).hex().encode() for _ in range(BATCH)]
            ids, salts = [uuid7() for _ in data], [CHANCE.randbytes(16) for _ in data]
            first, meta = self.facts + 1, [b'{"actor":{"service":"inference"}}'] * BATCH
            types = ["decisions.decision.made"] * BATCH
            self.owner.execute(APPEND, (SOURCE, first, ids, types, [1] * BATCH, salts, data, meta))
            self.copy(first)
            self.owner.execute(
                "INSERT INTO rm_decision_v1_1.decision SELECT event_id, position, 'refuse' FROM es.event "
                "WHERE position >= %s",
                (first,),
            )
            leaves = [CHANCE.randbytes(210).hex().encode() for _ in range(BATCH)]
            files = grow(self.facts, leaves, lambda t: self.shelf.tile("decisions", t), self.bundle).files
            self.shelf.write("decisions", files)
            await self.js.publish("letopis.decisions.segment", b"".join(data))
            self.facts += BATCH
        for connection in (self.owner, self.audit):
            connection.execute("VACUUM")

    def bundle(self, tile):
        return self.shelf.entries("decisions", tile)

    def copy(self, first):
        rows = self.owner.execute("SELECT * FROM es.event WHERE position >= %s ORDER BY position", (first,)).fetchall()
        with self.audit.cursor() as cursor, cursor.copy("COPY copy.record FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    async def measured(self, url, seed):
        bus = (await streams(url, seed)).get("decisions", 0)
        tiles = tiles_of(self.shelf.root, "decisions")
        ledger = of_ledger(self.owner, self.audit, "decisions", bus=bus, tiles=tiles)
        return Sizes(ledgers=(ledger,), views=of_views(self.owner), journal=0, a_journal_record=0)


@pytest.fixture
def connected(database):
    owner, audit = database("inference"), database("audit")
    with (
        psycopg.connect(owner.superuser_url, autocommit=True) as one,
        psycopg.connect(audit.superuser_url, autocommit=True) as other,
    ):
        one.execute("CREATE SCHEMA rm_decision_v1_1")
        one.execute(
            "CREATE TABLE rm_decision_v1_1.decision (id uuid PRIMARY KEY, position bigint NOT NULL, verdict text)"
        )
        yield one, other


async def test_forecast_for_twice_the_data_is_within_five_per_cent(connected, nats_server, tmp_path):
    """Row: `letopis size` forecasts twice the data within 5 %, in every place and in all."""
    seed = nats_server.seed("inference")
    client = await nats.connect(nats_server.url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_inference")
    grown = Grown(*connected, Shelf(tmp_path), client.jetstream())
    admin = nats_server.seed("admin")
    before = (await streams(nats_server.url, admin)).get("decisions", 0)
    await grown.grow(COUNT)
    once = await grown.measured(nats_server.url, admin)
    await grown.grow(COUNT)
    twice = await grown.measured(nats_server.url, admin)
    await client.close()
    assert (once.ledgers[0].facts, twice.ledgers[0].facts, before) == (COUNT, 2 * COUNT, 0)
    for place, size in once.ledgers[0].places.items():
        assert size.times(2) == pytest.approx(twice.ledgers[0].places[place].bytes, rel=0.05, abs=5 * 8192), place
    assert once.views["decision"].times(2) == pytest.approx(twice.views["decision"].bytes, rel=0.05, abs=5 * 8192)
    assert once.times(2) == pytest.approx(twice.bytes, rel=0.05)
    assert all(once.ledgers[0].places[place].bytes > 0 for place in PLACES if place not in {"toast", "views"})


def test_a_fact_is_what_grows(connected):
    one = LedgerSize(ledger="x", facts=10, places={"heap": Size(bytes=1000), "indexes": Size(bytes=8292, fixed=8192)})
    assert (one.a_fact("heap"), one.a_fact("indexes"), one.a_fact()) == (100, 10, 110)
    assert one.whole.times(3) == 8192 + 3300


def test_the_journal_is_measured_by_what_was_shipped(connected, tmp_path):
    owner, _ = connected
    journal = tmp_path / str(UUID(int=5))
    journal.mkdir()
    (journal / f"{11:016d}.seg").write_bytes(b"x" * 1000 + bytes(5000))
    assert journal_of(tmp_path, owner)[1] == 0
    owner.execute("INSERT INTO es.source VALUES ('decisions', %s, 20, 20)", (UUID(int=5),))
    assert journal_of(tmp_path, owner)[1] == 100
