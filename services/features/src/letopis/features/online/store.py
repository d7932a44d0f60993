"""The online store on Valkey: guarded writes, one round trip for a read of many entities in many views."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from letopis.common.errors import Unavailable
from letopis.features.online.packing import ORDERED_BYTES, Row, RowDamaged, key, schema_id, unpack

# A row is written unless a newer one (event time, then known time) stands there: replays and late batches do no harm.
_GUARDED = f"""
local written = 0
for i, key in ipairs(KEYS) do
  local old = redis.call('GETRANGE', key, 0, {ORDERED_BYTES - 1})
  if old == '' or old <= string.sub(ARGV[i], 1, {ORDERED_BYTES}) then
    redis.call('SET', key, ARGV[i])
    written = written + 1
  end
end
return written
"""
CHUNK = 1000


class OnlineStore:
    """Rows by (view version, entity). Values never expire by themselves: age is judged when they are read."""

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis

        self._client: Any = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
        self._write: Any = self._client.register_script(_GUARDED)

    async def write(self, view_id: str, rows: Sequence[tuple[str, bytes]]) -> int:
        """Offer packed rows by entity; how many were at least as new as what stood there. Unavailable if it is away."""
        written = 0
        async with _away():
            for first in range(0, len(rows), CHUNK):
                chunk = rows[first : first + CHUNK]
                keys = [key(view_id, entity) for entity, _ in chunk]
                written += int(await self._write(keys=keys, args=[row for _, row in chunk]))
        return written

    async def read(self, views: Mapping[str, Sequence[str]], entities: Sequence[str]) -> dict[str, list[Row | None]]:
        """By view id, the rows of the entities in order; None where there is none. Unavailable if it is away."""
        names = [key(view_id, entity) for view_id in views for entity in entities]
        async with _away():
            found = await self._client.mget(names) if names else []
        answer: dict[str, list[Row | None]] = {}
        for place, (view_id, features) in enumerate(views.items()):
            part = found[place * len(entities) : (place + 1) * len(entities)]
            schema = schema_id(features)
            answer[view_id] = [_row(data, schema) for data in part]
        return answer

    async def healthy(self) -> bool:
        try:
            async with _away():
                return bool(await self._client.ping())
        except Unavailable:
            return False

    async def close(self) -> None:
        await self._client.aclose()


def _row(data: bytes | None, schema: bytes) -> Row | None:
    if data is None:
        return None
    try:
        return unpack(data, schema)
    except (RowDamaged, ValueError):
        # What cannot be read is not there: the next batch writes it anew.
        return None


@asynccontextmanager
async def _away() -> AsyncIterator[None]:
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("the online store is away") from error
