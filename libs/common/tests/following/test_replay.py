"""Replays: told to one subscriber, read with plain nats-py, whole and once whatever happens to whoever tells them."""

import asyncio
import json

import nats
import pytest

from letopis.common import faults
from letopis.common.envelope import Actor, Meta
from letopis.common.following import OwnLedger
from letopis.common.handling import Desk
from letopis.common.ids import uuid7
from letopis.common.observability import Metrics
from letopis.common.reacting import Reactor
from letopis.common.replaying import reactions
from letopis.common.replaying.decider import AskReplay, Finished, Running, replay
from letopis.common.replaying.progress import ProgressBook
from letopis.common.replaying.reactions import Replayer, subject
from letopis.common.running import end


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(reactions, "BATCH", 10)


@pytest.fixture
async def office(town, nats_server):
    """A replayer over the town's ledgers, and what its tests do with it."""
    return Office(town, nats_server)


class Office:
    def __init__(self, town, nats_server):
        self.town, self.nats_server = town, nats_server
        self.desk = Desk(town.store, "registry")

    def reactor(self):
        sources = {name: OwnLedger(self.town.store, name, self.town.news) for name in ("registry", "decisions")}
        progress = ProgressBook(self.town.app)
        replayer = Replayer(desk=self.desk, sources=sources, bus=self.town.bus("registry"), progress=progress)
        return Reactor(replayer.reaction(), sources, self.town.app, Metrics("test"))

    async def ask(self, subscriber, first, last, *, ledger="registry", types=()):
        replay_id = str(uuid7())
        command = AskReplay(
            replay_id=replay_id,
            subscriber=subscriber,
            ledger=ledger,
            types=tuple(types),
            first=first,
            last=last,
            subject=subject(subscriber, replay_id),
            person="olga",
        )
        await self.desk.handle(replay("registry"), replay_id, command, Meta(actor=Actor(person="olga")))
        return command

    async def state(self, asked):
        return (await self.desk.load(replay("registry"), asked.replay_id)).state

    async def finished(self, asked):
        async def there():
            return isinstance(await self.state(asked), Finished)

        await self.town.until(there)

    async def told(self, subscriber, asked, count):
        """What the subscriber's durable gives a client of the official library: positions, in order."""
        client = await nats.connect(
            self.town.bridge.url,
            nkeys_seed_str=self.nats_server.seed(subscriber),
            inbox_prefix=f"_INBOX_{subscriber}".encode(),
        )
        try:
            pull = await client.jetstream().pull_subscribe_bind(f"{subscriber}_replays", stream="REPLAYS")
            found = []
            while len(found) < count:
                for message in await pull.fetch(100, timeout=60):
                    await message.ack()
                    if message.subject == asked.subject:
                        found.append(json.loads(message.data))
        finally:
            await client.close()
        return found

    async def in_stream(self, asked):
        """How many messages the subject holds."""
        told = await self.town.root.stream_info("REPLAYS", subjects_filter=asked.subject)
        return (told.state.subjects or {}).get(asked.subject, 0)


class TestReplay:
    async def test_a_plain_client_gets_the_range_as_events_in_order(self, office, small):
        await office.town.tell(60)
        asked = await office.ask("siem", 7, 55)
        async with office.town.working(office.reactor().run):
            await office.finished(asked)
        told = await office.told("siem", asked, 49)
        assert [int(one["position"]) for one in told] == list(range(7, 56))
        records = await office.town.store.read("registry", 6, 49)
        assert [one["id"] for one in told] == [str(one.event_id) for one in records]
        assert [one["data"]["data"] for one in told] == [one.data.decode() for one in records]
        assert (await office.state(asked)).published == 49

    async def test_only_the_asked_types_of_another_ledger(self, office, small):
        await office.town.tell(25, ledger="decisions")
        none = await office.ask("siem", 1, 25, ledger="decisions", types=["decisions.decision.made"])
        some = await office.ask("siem", 1, 25, ledger="decisions", types=["registry.account.deposited"])
        async with office.town.working(office.reactor().run):
            await office.finished(some)
        assert (await office.state(none)).published == 0
        assert await office.in_stream(none) == 0
        assert len(await office.told("siem", some, 25)) == 25

    @pytest.mark.parametrize("point", ["replay.published", "replay.moved", "publishing.staged"])
    async def test_killed_anywhere_it_goes_on_without_a_double(self, office, small, monkeypatch, point):
        await office.town.tell(95)
        asked = await office.ask("siem", 1, 95)
        for strike in (1, 2, 3):
            left = strike

            def deadly(name):
                nonlocal left
                left -= name == point
                if left == 0 and name == point:
                    asyncio.current_task().cancel()

            with monkeypatch.context() as patch:
                patch.setattr(faults, "point", deadly)
                work = asyncio.create_task(office.reactor().run())
                await asyncio.wait([work])
                assert work.cancelled()
                assert isinstance(await office.state(asked), Running)
        async with office.town.working(office.reactor().run):
            await office.finished(asked)
        assert await office.in_stream(asked) == 95
        told = await office.told("siem", asked, 95)
        assert [int(one["position"]) for one in told] == list(range(1, 96))
        assert (await office.state(asked)).published == 95

    async def test_two_at_once_tell_everything_once(self, office, small):
        await office.town.tell(80)
        asked = await office.ask("siem", 1, 80)
        async with office.town.working(office.reactor().run, office.reactor().run):
            await office.finished(asked)
        assert await office.in_stream(asked) == 80

    async def test_waits_for_nats(self, office, small, monkeypatch):
        monkeypatch.setattr("letopis.common.messaging.PATIENCE", 0.5)
        await office.town.tell(30)
        asked = await office.ask("siem", 1, 30)
        await office.town.bridge.down()
        working = asyncio.create_task(office.reactor().run())
        await asyncio.wait([working])
        assert "NATS cannot be reached" in str(working.exception())
        await office.town.bridge.up()
        async with office.town.working(office.reactor().run):
            await office.finished(asked)
        assert await office.in_stream(asked) == 30
        await end(working)

    async def test_another_subscriber_cannot_read_it(self, office, small):
        """The server refuses every way to another's replays, and the client is told which."""
        await office.town.tell(5)
        asked = await office.ask("siem", 1, 5)
        async with office.town.working(office.reactor().run):
            await office.finished(asked)
        refused = []

        async def complained(error):
            refused.append(str(error).lower())

        client = await nats.connect(
            office.town.bridge.url,
            nkeys_seed_str=office.nats_server.seed("lake"),
            inbox_prefix=b"_INBOX_lake",
            error_cb=complained,
        )
        ways = [
            "$JS.API.CONSUMER.MSG.NEXT.REPLAYS.siem_replays",
            f"$JS.API.DIRECT.GET.REPLAYS.{asked.subject}",
            "$JS.API.STREAM.MSG.GET.REPLAYS",
            "$JS.API.CONSUMER.CREATE.REPLAYS",
            f"$JS.API.CONSUMER.CREATE.REPLAYS.mine.{asked.subject}",
            "$JS.API.STREAM.INFO.REPLAYS",
            asked.subject,
        ]
        for way in ways:
            await client.publish(way, b"{}", reply=client.new_inbox())
        await client.subscribe("letopis.replay.siem.>")

        async def all_refused():
            await client.flush()
            return len(refused) >= len(ways) + 1

        await office.town.until(all_refused)
        await client.close()
        assert all("permissions violation" in one for one in refused)
        for way in [*ways, "letopis.replay.siem.>"]:
            assert any(f'"{way.lower()}"' in one for one in refused), way
