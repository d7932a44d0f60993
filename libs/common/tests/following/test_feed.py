"""Following another's ledger: the view ends the same whatever becomes of NATS, its streams, or the owner's door."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from letopis.common.errors import Unavailable
from letopis.common.leaf import leaf_hash
from letopis.common.projecting import Projector, ViewReader
from letopis.common.running import end
from letopis.common.serialization import Catalogue
from letopis.common.testing.sample import Balances, Deposited
from letopis.common.testing.views import content_of

FACTS = Catalogue([("registry.account.deposited", 1, Deposited)])


class Followed(Balances):
    name = "followed"
    sources = {"registry": FACTS}


def projector_of(town, feed):
    return Projector(Followed, {"registry": feed}, town.projecting)


async def reached(town, position):
    await ViewReader(town.app).wait(Followed, {"registry": position}, 90)
    reader, content = ViewReader(town.app), {}
    for table in Followed.tables():
        rows = [dict(row) for row in await reader.rows(Followed, select(table))]
        content[table.name] = {tuple(row[column.name] for column in table.primary_key): row for row in rows}
    assert content == content_of(Followed, await town.store.read("registry", 0, 100_000))


class TestLedgerFeed:
    async def test_news_come_without_knocking_at_the_door(self, town):
        feed = town.feed()
        projector = projector_of(town, feed)
        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(5))
            await hearing(feed)
            before = town.door.knocks
            for _ in range(10):
                await reached(town, await town.tell(3))
            # One at most, if ten seconds of silence fell into the test.
            assert town.door.knocks <= before + 1

    async def test_leaf_hashes_come_along(self, town):
        feed = town.feed()
        async with town.working(town.relay().run, feed.run):
            await hearing(feed)
            last = await town.tell(3)
            await feed.wait(last - 1, 10)
            (record,) = await feed.read(last - 1, 10)
            assert feed.leafhashes[last] == leaf_hash(record)

    async def test_goes_on_while_the_owner_is_away(self, town):
        feed = town.feed()
        projector = projector_of(town, feed)
        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(5))
            await hearing(feed)
            town.door.open = False
            await reached(town, await town.tell(5))

    async def test_goes_on_while_nats_is_away(self, town):
        feed = town.feed()
        projector = projector_of(town, feed)
        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(5))
            await town.bridge.down()
            await reached(town, await town.tell(5))
            await town.bridge.up()
            await reached(town, await town.tell(5))

    async def test_says_that_both_are_away(self, town):
        town.door.open = False
        with pytest.raises(Unavailable):
            await town.feed().read(0, 10)

    async def test_finds_a_hole_that_silence_hides(self, town):
        """The relay never publishes the last facts; the door has them."""
        feed = town.feed(silence=0.2)
        projector = projector_of(town, feed)
        async with town.working(feed.run, projector.run):
            async with town.working(town.relay().run):
                await reached(town, await town.tell(5))
            await reached(town, await town.tell(2))

    async def test_duplicates_are_told_once(self, town):
        """A durable that is made again delivers everything again."""
        feed = town.feed()
        projector = projector_of(town, feed)
        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(20))
            await town.root.delete_consumer("LEDGER_registry", "features_registry")
            await town.restore()
            await reached(town, await town.tell(5))

    async def test_everything_taken_is_acknowledged(self, town):
        feed = town.feed()
        projector = projector_of(town, feed)

        async def acknowledged():
            told = await town.root.consumer_info("LEDGER_registry", "features_registry")
            return told.ack_floor.stream_seq == 30 and told.num_ack_pending == 0

        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(30))
            await town.until(acknowledged)
            assert not feed._held
            assert not feed._waiting

    async def test_a_pull_that_fell_silent_is_made_anew(self, town, monkeypatch):
        """The server has lost the pull's subscription and the client does not know; the door is closed."""
        monkeypatch.setattr("letopis.common.following.feed.QUIET", 0.3)
        feed = town.feed()
        projector = projector_of(town, feed)

        def told(name):
            return feed.metrics.registry.get_sample_value(f"letopis_feed_{name}", {"ledger": "registry"})

        async with town.working(town.relay().run, feed.run, projector.run):
            await reached(town, await town.tell(5))
            await hearing(feed)
            assert told("stuck") == 0
            client = await feed.bus.client()
            await client._send_unsubscribe(max(client._subs))
            town.door.open = False
            await reached(town, await town.tell(5))
            assert told("pulls_renewed_total") >= 1

            async def acknowledged():
                return told("lag_events") == 0 and told("lag_seconds") == 0

            await town.until(acknowledged)
        assert told("stuck") == 1

    async def test_telemetry_comes_in_segments(self, town):
        feed = town.feed("decisions", "monitoring")
        feed.taken("reader", 0)
        async with town.working(town.relay("decisions").run, feed.run):
            await hearing(feed)
            await town.tell(1200, ledger="decisions")
            town.door.open = False
            told = []
            while len(told) < 1200:
                await feed.wait(len(told), 10)
                told += await feed.read(len(told), 500)
        assert told == await town.store.read("decisions", 0, 2000)

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(deeds=st.lists(st.sampled_from(["tell", "tell", "delete", "restore", "down", "up"]), max_size=8))
    async def test_streams_deleted_and_nats_lost_at_any_moment_change_nothing(self, town, deeds):
        feed = town.feed(silence=1.0)
        projector = projector_of(town, feed)
        up = True
        async with town.working(town.relay().run, feed.run, projector.run):
            for deed in deeds:
                match deed:
                    case "tell":
                        await town.tell(7)
                    case "delete":
                        await town.delete_stream()
                    case "restore":
                        await town.restore()
                    case "down" if up:
                        await town.bridge.down()
                        up = False
                    case "up" if not up:
                        await town.bridge.up()
                        up = True
            if not up:
                await town.bridge.up()
            await reached(town, await town.tell(1))
        await town.restore()

    async def test_a_follower_killed_and_started_again_goes_on(self, town):
        async with town.working(town.relay().run):
            for _ in range(4):
                feed = town.feed()
                work = [asyncio.create_task(one) for one in (feed.run(), projector_of(town, feed).run())]
                await reached(town, await town.tell(9))
                await town.tell(9)
                await end(*work)


async def hearing(feed):
    """Wait until the feed listens to its durable."""
    while not feed._hearing:  # noqa: ASYNC110 it has no event for this
        await asyncio.sleep(0.01)
