"""The owner's door: stored facts by position, for holes in the news, rebuilds elsewhere, and audit's copies."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from letopis.common.envelope import record_line
from letopis.common.errors import NotFound
from letopis.common.http.calling import Call
from letopis.common.http.governing import governed
from letopis.common.http.media import media
from letopis.common.http.problems import problems
from letopis.common.policy.verdict import Object

MOST = 10_000
# Facts carry whole authorizations; an answer stays below this, and a reader asks on from where it ended.
LARGEST = 16 * 1024 * 1024


def ledger_door(service: str, ledgers: Sequence[str]) -> APIRouter:
    """`GET /v1/ledgers/{ledger}/facts?after=&limit=` as NDJSON records under action `<service>.ledger.read`.

    The header Letopis-Head tells the last position of the ledger. An answer that ends before it was cut by
    `limit` or by size.
    """
    router = APIRouter(prefix="/v1/ledgers", tags=["ledger"])
    owned = tuple(ledgers)

    @router.get("/{ledger}/facts", response_class=media("application/x-ndjson"), responses=problems(NotFound))
    async def facts(
        ledger: str,
        call: Annotated[Call, governed(f"{service}.ledger.read")],
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
    ) -> Response:
        await call.authorize(Object(type="ledger", id=ledger))
        if ledger not in owned:
            raise NotFound(f"{service} owns no ledger {ledger}")
        store = call.resources.store
        head = await store.head(ledger)
        lines: list[bytes] = []
        size, left = 0, min(limit, max(head - after, 0))
        while left and size < LARGEST:
            records = await store.read(ledger, after + len(lines), min(left, 1000))
            if not records:
                break
            lines += [record_line(record) for record in records]
            left -= len(records)
            size = sum(map(len, lines))
        return Response(
            b"".join(lines),
            media_type="application/x-ndjson",
            headers={"Letopis-Head": str(head), "Letopis-Position": f"{ledger}/{after + len(lines)}"},
        )

    return router
