"""The kit over the real event store: what is acknowledged is there, and a database that is away is said to be."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from parcel import Shop, open_shop
from sqlalchemy import create_engine, make_url

from letopis.common.database import open_engine
from letopis.common.eventstore import schema
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.migrating import Roles


def prepare(database: Any) -> None:
    owner = create_engine(make_url(database.owner_url).set(drivername="postgresql+psycopg"))
    roles = Roles(app=make_url(database.app_url).username, projector=make_url(database.projector_url).username)
    with owner.begin() as connection:
        schema.create(connection, ("demo",), roles)
    owner.dispose()


@pytest.fixture
async def shop(opa_url: str, database: Callable[..., Any]) -> AsyncIterator[Shop]:
    engine = open_engine(database(prepare=prepare).app_url, autocommit=True)
    async with open_shop(opa_url, store=PostgresEventStore(engine)) as opened:
        yield opened
    await engine.dispose()


async def test_commands_repeats_and_denials_stand_in_one_ledger(shop: Shop) -> None:
    first = await shop.send(key="k-1")
    denied = await shop.send("p-2", by="anna", key="k-1")
    again = await shop.send(key="k-1")
    assert (first.status_code, denied.status_code, again.status_code) == (201, 403, 201)
    assert again.content == first.content
    assert (await shop.send(key="k-1", weight=5.0)).json()["code"] == "idempotency.key_reused"
    records = await shop.store.read("demo", 0, 10)
    assert [one.type for one in records] == ["demo.parcel.sent", "demo.authorization.denied"]
    door = await shop.get("/v1/ledgers/demo/facts", by="irina")
    assert len(door.text.splitlines()) == 2


async def test_a_database_that_is_away_is_503_with_a_time_to_retry(opa_url: str) -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none", autocommit=True)
    async with open_shop(opa_url, store=PostgresEventStore(engine)) as shop:
        for answer in (await shop.send(), await shop.send(by="anna"), await shop.client.get("/readyz")):
            assert answer.status_code == 503
        answer = await shop.send()
        assert answer.json()["code"] == "unavailable"
        assert answer.headers["Retry-After"] == "2"
        assert (await shop.client.get("/healthz")).status_code == 200
    await engine.dispose()
