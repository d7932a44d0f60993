"""The relay: every fact once, in order, whatever happens to it, to its twin, to the stream and to NATS."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from letopis.common import outbox
from letopis.common.errors import Unavailable
from letopis.common.leaf import leaf_hash
from letopis.common.outbox import NewsAhead


class TestRelay:
    async def test_publishes_each_fact_once_in_order_with_its_leaf_hash(self, town):
        last = await town.tell(30)
        async with town.working(town.relay().run):
            await town.published(last)
            await town.published(await town.tell(20))
        told = await town.messages()
        assert [name for name, _ in told] == [f"registry:{n}" for n in range(1, 51)]
        assert [one.records[0] for _, one in told] == await town.store.read("registry", 0, 100)
        assert all(one.leafhashes[one.last] == leaf_hash(one.records[0]) for _, one in told)
        assert await town.incidents() == []

    async def test_goes_on_where_the_stream_ends(self, town):
        for _ in range(3):
            last = await town.tell(5)
            async with town.working(town.relay().run):
                await town.published(last)
        assert await town.positions() == list(range(1, 16))

    async def test_two_at_once_publish_once_and_one_takes_over(self, town):
        first, second = town.relay(), town.relay()
        async with town.working(second.run):
            async with town.working(first.run):
                for _ in range(10):
                    last = await town.tell(3)
                await town.published(last)
            await town.published(await town.tell(3))
        assert await town.positions() == list(range(1, 34))

    async def test_killed_anywhere_leaves_no_hole_and_no_double(self, town, monkeypatch):
        """Cancelled after every publication, before its progress is stored: what was sent stands in the stream."""
        publish, visits = outbox.Relay._publish, 0

        async def deadly(*arguments):
            nonlocal visits
            visits += 1
            sequence = await publish(*arguments)
            if visits % 2:
                asyncio.current_task().cancel()
            return sequence

        monkeypatch.setattr(outbox.Relay, "_publish", deadly)
        for _ in range(3):
            last = await town.tell(4)
            work = asyncio.create_task(town.relay().run())
            await asyncio.wait([work])
            assert work.cancelled()
            async with town.working(town.relay().run):
                last = await town.tell(2)
                await town.published(last)
        assert await town.positions() == list(range(1, last + 1))

    async def test_publishes_again_what_a_deleted_stream_had(self, town):
        async with town.working(town.relay().run):
            await town.published(await town.tell(25))
            await town.delete_stream()
            await town.tell(5)
            await town.restore()
            await town.published(30)
        assert await town.positions() == list(range(1, 31))
        assert await town.incidents() == [("news_lost", 25, 0)]

    async def test_goes_on_behind_messages_that_are_no_news(self, town):
        """An owner's mistake, by hand or by an older program: it names no position, or none that can be read."""
        async with town.working(town.relay().run):
            await town.published(await town.tell(3))
            for headers in (None, {"Nats-Msg-Id": "registry:nothing"}):
                await town.root.publish("letopis.registry.account.deposited", b"no news", headers=headers)
            last = await town.tell(2)

            async def there():
                return await town.last_sequence() == last + 2

            await town.until(there)
        message = await town.root.get_msg("LEDGER_registry", seq=last + 2)
        assert message.headers["Nats-Msg-Id"] == f"registry:{last}"
        assert await town.incidents() == []

    async def test_notices_a_lost_stream_while_nothing_happens(self, town):
        async with town.working(town.relay().run):
            await town.published(await town.tell(3))
            await town.delete_stream()
            await town.restore()
            await town.published(3)
        assert await town.positions() == [1, 2, 3]

    async def test_waits_for_nats(self, town):
        async with town.working(town.relay().run):
            await town.published(await town.tell(3))
            await town.bridge.down()
            await town.tell(4)
            await town.bridge.up()
            await town.published(7)
        assert await town.positions() == list(range(1, 8))

    async def test_says_that_nats_is_away(self, town, monkeypatch):
        await town.bridge.down()
        monkeypatch.setattr("letopis.common.messaging.PATIENCE", 0.2)
        with pytest.raises(Unavailable):
            await town.relay().run()

    async def test_ships_telemetry_in_segments(self, town):
        await town.tell(1500, ledger="decisions")
        async with town.working(town.relay("decisions").run):
            await town.published(1500, "decisions")
            await town.published(await town.tell(10, ledger="decisions"), "decisions")
        told = await town.messages("decisions")
        assert [name for name, _ in told] == ["decisions:1-1000", "decisions:1001-1500", "decisions:1501-1510"]
        assert [one for _, part in told for one in part.records] == await town.store.read("decisions", 0, 2000)

    async def test_facts_too_large_for_a_message_point_to_the_door(self, town, monkeypatch):
        monkeypatch.setattr(outbox, "largest", lambda _: 600)
        async with town.working(town.relay().run):
            await town.published(await town.tell(2))
        assert [(told.last, told.records) for _, told in await town.messages()] == [(1, []), (2, [])]

    async def test_does_not_republish_what_no_stream_would_keep(self, town, monkeypatch):
        await town.tell(9)
        # A clock two weeks ahead: all but what comes now is too old.
        monkeypatch.setattr(outbox, "WANTED", timedelta(microseconds=-1))
        relay = town.relay()
        assert await relay._oldest_wanted() == 9
        monkeypatch.setattr(outbox, "WANTED", timedelta(days=14))
        assert await relay._oldest_wanted() == 0
        (fifth,) = await town.store.read("registry", 4, 1)
        monkeypatch.setattr(outbox, "WANTED", relay.clock.now() - fifth.recorded_at)
        assert await relay._oldest_wanted() >= 4

    async def test_age_alone_is_no_incident(self, town, monkeypatch):
        async with town.working(town.relay().run):
            await town.published(await town.tell(4))
        await town.delete_stream()
        await town.restore()
        monkeypatch.setattr(outbox, "WANTED", timedelta(microseconds=-1))
        relay = town.relay()
        async with town.working(relay.run):
            # Only when it has begun does a new fact count as news.
            await town.begun(relay, 4)
            await town.published(await town.tell(1))
        assert await town.positions() == [5]
        assert await town.incidents() == []

    async def test_stops_where_the_ledger_has_lost_what_was_told(self, town):
        async with town.working(town.relay().run):
            await town.published(await town.tell(4))
        async with town.app.begin() as connection:
            await connection.execute(text("UPDATE outbox.relay SET position = 2"))
        town.store.engine = town.app
        relay = town.relay()

        async def shorter(after, limit, *, sure=False):
            return [one for one in await town.store.read("registry", after, limit) if one.position <= 2]

        relay.source.read = shorter
        with pytest.raises(NewsAhead):
            await relay.run()
        assert await town.incidents() == [("news_ahead", 2, 4)]
