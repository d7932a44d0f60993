"""A service's database with two ledgers, and what reads and projects them."""

from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import open_engine
from letopis.common.eventstore import schema as eventstore
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.migrating import Roles
from letopis.common.projecting import Projector, ViewReader, schema
from letopis.common.testing.sample import MONEY, NAMES, Balances, facts


def prepare(database):
    owner = create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))
    roles = Roles(app=make_url(database.app_url).username, projector=make_url(database.projector_url).username)
    with owner.begin() as connection:
        eventstore.create(connection, ("money", "names"), roles)
        schema.create(connection, roles)
    owner.dispose()


@dataclass(kw_only=True)
class Service:
    store: PostgresEventStore
    sources: dict
    reader: ViewReader
    projecting: AsyncEngine
    app: AsyncEngine

    def projector(self, view=Balances, **options):
        return Projector(view, self.sources, self.projecting, **options)

    async def tell(self, ledger, *told):
        catalogue = MONEY if ledger == "money" else NAMES
        version = await self.store.stream_head(ledger, "sample:1")
        return await self.store.append(ledger, "sample:1", version, facts(catalogue, *told))

    async def schemas(self):
        """State of each schema that holds a view, as the database has them."""
        async with self.projecting.connect() as plain:
            # Both questions of one moment: a rebuild may be starting right now.
            connection = await plain.execution_options(isolation_level="REPEATABLE READ")
            found = await connection.execute(text("SELECT schema_name, state FROM projecting.view_state"))
            states = dict(tuple(row) for row in found)
            real = await connection.execute(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rm\\_%'"))
            assert {name for (name,) in real} == states.keys()
        return states


@pytest.fixture
async def service(database):
    made = database(prepare=prepare)
    engines = [
        open_engine(made.app_url, autocommit=True),
        open_engine(made.app_url),
        open_engine(made.projector_url, size=2),
    ]
    for engine in engines:
        # SQLAlchemy drops a first connection that is cancelled while it asks the server who it is.
        async with engine.connect():
            pass
    news = News()
    store = PostgresEventStore(engines[0], heard=news.heard)
    yield Service(
        store=store,
        sources={ledger: OwnLedger(store, ledger, news) for ledger in ("money", "names")},
        reader=ViewReader(engines[1]),
        projecting=engines[2],
        app=engines[1],
    )
    for engine in engines:
        await engine.dispose()
