"""The peers of the event core: the same bytes by the shortest way, with no chain, order, version or retry safety."""

from collections.abc import Sequence
from uuid import UUID

import nats
import psycopg
from nats.js.api import StreamConfig

from letopis.common.envelope import NewFact

TABLE = """CREATE TABLE IF NOT EXISTS public.bare (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid, type text, data bytea, meta bytea,
  at timestamptz DEFAULT now())"""
INSERT = "INSERT INTO public.bare (event_id, type, data, meta) VALUES (%s, %s, %s, %s)"
MANY = (
    "INSERT INTO public.bare (event_id, type, data, meta) "
    "SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::bytea[])"
)
PAGE = "SELECT id, event_id, type, data, meta, at FROM public.bare WHERE id > %s ORDER BY id LIMIT %s"
SUBJECT = "bare.fact"


class Table:
    """A table and one connection in autocommit: every statement is durable when it returns."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> "Table":
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        await connection.execute(TABLE)
        return cls(connection)

    async def insert(self, fact: NewFact) -> None:
        """One durable INSERT."""
        await self._connection.execute(INSERT, (fact.event_id, fact.type, fact.data, fact.meta))

    async def insert_many(self, facts: Sequence[NewFact]) -> None:
        """All in one statement and one commit."""
        columns: tuple[list[UUID], list[str], list[bytes], list[bytes]] = (
            [fact.event_id for fact in facts],
            [fact.type for fact in facts],
            [fact.data for fact in facts],
            [fact.meta for fact in facts],
        )
        await self._connection.execute(MANY, columns)

    async def page(self, after: int, limit: int) -> int:
        """Take rows after a number as the driver gives them; how many there were."""
        return len(await (await self._connection.execute(PAGE, (after, limit))).fetchall())

    async def close(self) -> None:
        await self._connection.close()


async def publisher(url: str, seed: str) -> nats.NATS:
    """A connection that may do everything, and a stream as the ledgers' own."""
    client = await nats.connect(url, nkeys_seed_str=seed)
    await client.jetstream(timeout=5).add_stream(StreamConfig(name="BARE", subjects=["bare.>"]))
    return client
