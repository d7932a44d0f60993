"""An owner with a database and a relay, NATS behind a bridge that can be taken down, and a follower with a door."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import nats
import pytest
from nats.js.errors import NotFoundError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import record_line
from letopis.common.eventstore import schema as eventstore
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.following.door import DoorLedger
from letopis.common.following.feed import LedgerFeed
from letopis.common.ids import uuid7
from letopis.common.messaging import Bus, stream_name, told_in
from letopis.common.migrating import Roles
from letopis.common.observability import Metrics
from letopis.common.outbox import Relay
from letopis.common.projecting import schema
from letopis.common.running import Parts, end
from letopis.common.serialization import Catalogue
from letopis.common.testing.sample import Deposited, facts

FACTS = Catalogue([("registry.account.deposited", 1, Deposited)])


def prepare(database):
    owner = create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))
    roles = Roles(app=make_url(database.app_url).username, projector=make_url(database.projector_url).username)
    with owner.begin() as connection:
        eventstore.create(connection, ("registry", "decisions"), roles)
        schema.create(connection, roles)
    owner.dispose()


class Bridge:
    """Carries bytes to the NATS server; while it is down, NATS is away for whoever comes this way."""

    def __init__(self, url):
        self.target = urlsplit(url)
        self.port = 0
        self.server = None
        self.carrying = set()
        self.tasks = set()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    async def up(self):
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def down(self):
        self.server.close()
        for writer in list(self.carrying):
            writer.transport.abort()
        await asyncio.gather(*self.tasks)

    async def _carry(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            onward = await asyncio.open_connection(self.target.hostname, self.target.port)
        except OSError:
            writer.close()
            return
        if not self.server.is_serving():
            # Taken down while this one was on its way.
            writer.close()
            onward[1].close()
            return
        self.carrying |= {writer, onward[1]}
        with suppress(OSError):
            await asyncio.gather(_pour(reader, onward[1]), _pour(onward[0], writer))
        for one in (writer, onward[1]):
            self.carrying.discard(one)
            one.close()


async def _pour(reader, writer):
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass(kw_only=True)
class Door:
    """The owner's door over its store; it can be closed, and counts who knocks."""

    store: PostgresEventStore
    open: bool = True
    knocks: int = 0

    async def __call__(self, request):
        self.knocks += 1
        if not self.open:
            # Nobody is told at once that nobody is there.
            await asyncio.sleep(0.01)
            raise httpx.ConnectError("closed", request=request)
        ledger = request.url.path.split("/")[3]
        after, limit = (int(request.url.params[name]) for name in ("after", "limit"))
        records = await self.store.read(ledger, after, limit)
        head = {"Letopis-Head": str(await self.store.head(ledger))}
        return httpx.Response(200, content=b"".join(map(record_line, records)), headers=head)


@dataclass(kw_only=True)
class Town:
    """All parts, and the verbs of the tests."""

    store: PostgresEventStore
    news: News
    door: Door
    bridge: Bridge
    seeds: dict
    restore: object
    app: AsyncEngine
    projecting: AsyncEngine
    stack: AsyncExitStack
    root: object = None
    relays: dict = field(default_factory=dict)

    async def tell(self, count, *, ledger="registry"):
        told = facts(FACTS, *(Deposited(account=f"a{n % 3}", amount=n) for n in range(count)))
        if ledger == "decisions":
            source = uuid7()
            return (await self.store.append_batch(ledger, source, 1, told)).last
        version = await self.store.stream_head(ledger, "sample:1")
        return (await self.store.append(ledger, "sample:1", version, told)).last

    def bus(self, service):
        bus = Bus(self.bridge.url, service, self.seeds[service])
        self.stack.push_async_callback(bus.close)
        return bus

    def relay(self, ledger="registry", **options):
        service = "registry" if ledger == "registry" else "inference"
        source = OwnLedger(self.store, ledger, self.news)
        options = {"reconcile": 0.1, "telemetry": ledger == "decisions"} | options
        return Relay(source, self.bus(service), self.app, SystemClock(), Metrics("test"), **options)

    def feed(self, ledger="registry", follower="features", **options):
        """A follower's feed; it hears of appends by NATS and the door alone."""
        news = News()
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.door))
        self.stack.push_async_callback(http.aclose)
        door = DoorLedger(http, httpx.Auth(), "http://owner", ledger, news)
        return LedgerFeed(door, self.bus(follower), news, f"{follower}_{ledger}", **options)

    @asynccontextmanager
    async def working(self, *works):
        """The parts at work, restarted when they fail, as in a service."""
        parts = Parts(Metrics("test"))
        for number, work in enumerate(works):
            parts.add(f"{number}", work)
        running = asyncio.create_task(parts.run())
        try:
            yield
        finally:
            await end(running)

    async def delete_stream(self, ledger="registry"):
        with suppress(NotFoundError):
            await self.root.delete_stream(stream_name(ledger))

    async def last_sequence(self, ledger="registry"):
        try:
            return (await self.root.stream_info(stream_name(ledger))).state.last_seq
        except NotFoundError:
            return -1

    async def messages(self, ledger="registry"):
        """All that the stream holds: (message id, what it tells)."""
        state = (await self.root.stream_info(stream_name(ledger))).state
        found = []
        for sequence in range(state.first_seq, state.last_seq + 1):
            message = await self.root.get_msg(stream_name(ledger), seq=sequence)
            found.append((message.headers["Nats-Msg-Id"], told_in(message.subject, message.data)))
        return found

    async def positions(self, ledger="registry"):
        return [one.position for _, told in await self.messages(ledger) for one in told.records]

    async def published(self, position, ledger="registry"):
        """Wait until the stream's last message tells of a position."""

        async def there():
            sequence = await self.last_sequence(ledger)
            if sequence < 1:
                return False
            message = await self.root.get_msg(stream_name(ledger), seq=sequence)
            return told_in(message.subject, message.data).last == position

        await until(there)

    async def begun(self, relay, position):
        """Wait until the relay has said that it stands at a position."""
        line = f'letopis_relay_position{{ledger="{relay.ledger}"}} {position}.0'.encode()

        async def there():
            return line in relay.metrics.text()

        await until(there)

    async def until(self, there):
        """Wait for a state of a part that cannot tell of itself."""
        await until(there)

    async def incidents(self):
        async with self.app.connect() as connection:
            found = await connection.execute(text("SELECT kind, expected, found FROM outbox.incident ORDER BY 1, 2"))
            return [tuple(row) for row in found]


async def until(there, patience=90):
    """Wait for a state of a part that cannot tell of itself."""
    async with asyncio.timeout(patience):
        while not await there():  # noqa: ASYNC110 the part has no event for us
            await asyncio.sleep(0.02)


@pytest.fixture
async def town(database, nats_server):
    made = database(prepare=prepare)
    async with AsyncExitStack() as stack:
        engines = [
            open_engine(made.app_url, autocommit=True),
            open_engine(made.app_url),
            open_engine(made.projector_url, size=2),
        ]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
            # SQLAlchemy drops a first connection that is cancelled while it asks the server who it is.
            async with engine.connect():
                pass
        news = News()
        store = PostgresEventStore(engines[0], heard=news.heard)
        bridge = Bridge(nats_server.url)
        await bridge.up()
        stack.push_async_callback(bridge.down)
        root = await nats.connect(nats_server.url, nkeys_seed_str=nats_server.seed("root"))
        stack.push_async_callback(root.close)
        town = Town(
            store=store,
            news=news,
            door=Door(store=store),
            bridge=bridge,
            seeds=nats_server.seeds,
            restore=lambda: asyncio.to_thread(nats_server.restore),
            app=engines[1],
            projecting=engines[2],
            stack=stack,
            root=root.jetstream(),
        )
        for ledger in ("registry", "decisions"):
            await town.delete_stream(ledger)
        await town.restore()
        yield town
