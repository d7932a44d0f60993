"""From a committed batch's files to the online store; repeatable, so an online store can be rebuilt from facts."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from letopis.common.envelope import Meta
from letopis.common.handling import Desk
from letopis.common.objects import ObjectStore
from letopis.features.batch.decider import BATCH, Committed, RecordMaterialisation
from letopis.features.batch.events import FeatureBatchCommitted
from letopis.features.online.packing import Row, key, pack, schema_id, served
from letopis.features.online.store import OnlineStore
from letopis.features.view.point_in_time import EVENT, KNOWN

KEY = "__key"


def packed(table: Any, features: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Entity keys as text, and their rows as they stand online."""
    schema = schema_id(features)
    columns = [table.column(name).to_pylist() for name in (KEY, EVENT, KNOWN, *features)]
    for entity, event, known, *values in zip(*columns, strict=True):
        yield str(entity), pack(Row(event=event, known=known, values=tuple(map(served, values))), schema)


def state_digest(view_id: str, rows: list[tuple[str, bytes]]) -> str:
    """One digest of what a batch puts online: keys and packed rows in order of key."""
    told = sha256()
    for entity, row in sorted(rows):
        told.update(key(view_id, entity).encode() + b"\0" + row)
    return told.hexdigest()


def load(objects: ObjectStore, batch: FeatureBatchCommitted) -> list[tuple[str, bytes]]:
    """The packed rows of a committed batch, from files that are hashed again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(pa.BufferReader(objects.get(file.sha256)), use_threads=False) for file in batch.files]
    return [row for table in tables for row in packed(table, batch.features)]


@dataclass(frozen=True, slots=True)
class Materialiser:
    """Puts committed batches online and records that it did."""

    desk: Desk
    objects: ObjectStore
    online: OnlineStore
    turns: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ensure_online(self, batch: FeatureBatchCommitted, meta: Meta) -> None:
        """Put the batch online unless it is recorded that it is; who commits and who reacts take turns."""
        async with self.turns:
            if not await self.is_online(batch.batch_id):
                await self.put_online(batch, meta)

    async def put_online(self, batch: FeatureBatchCommitted, meta: Meta) -> None:
        """Offer every row of the batch to the store, then record it; Unavailable if the store is away.

        Repeating it is harmless: newer rows stay, and what is recorded already is not recorded again.
        """
        rows = await asyncio.to_thread(load, self.objects, batch)
        written = await self.online.write(batch.view_id, rows)
        digest = await asyncio.to_thread(state_digest, batch.view_id, rows)
        command = RecordMaterialisation(rows=len(rows), written=written, state_digest=digest)
        await self.desk.handle(BATCH, batch.batch_id, command, meta)

    async def is_online(self, batch_id: str) -> bool:
        """Whether it is recorded that the batch was written."""
        state = (await self.desk.load(BATCH, batch_id)).state
        return isinstance(state, Committed) and state.online
