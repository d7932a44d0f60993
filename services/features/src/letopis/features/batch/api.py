"""Batches: the newest known values of a view, committed as a file through the gateway, then put online."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from letopis.common.errors import Unavailable
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.batch import views
from letopis.features.batch.decider import BATCH, CommitBatch
from letopis.features.batch.events import BatchFile, FeatureBatchCommitted
from letopis.features.bundle.loading import ViewUnknown, view_of
from letopis.features.dataset.build import engines, parquet
from letopis.features.query.gate import quoted
from letopis.features.query.gateway import FULFILS, ExtractMissing, Result, who
from letopis.features.query.sandbox import Sandbox, SqlFailed
from letopis.features.source.lake import FileChanged
from letopis.features.view.point_in_time import EVENT, KNOWN, Joined, newest

router = APIRouter(prefix="/v1/batches", tags=["batch"])


class BatchIn(Body):
    """The values of a view as known at `as_of` (now without it)."""

    view_id: str
    as_of: AwareDatetime | None = None
    grants: list[str] = Field(default_factory=list)


class BatchOut(BaseModel):
    batch_id: str
    view_id: str
    as_of: str
    rows: int
    files: list[dict[str, Any]]
    min_event: str
    max_event: str
    committed_by: str
    committed_at: str
    written: int | None
    state_digest: str | None
    online_at: str | None


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(ViewUnknown, ExtractMissing, SqlFailed, FileChanged),
)
async def commit(
    body: BatchIn,
    call: Annotated[Call, governed("features.query.batch", fulfils=FULFILS, ledger="access", deadline=300)],
) -> Response:
    """Commit a batch, then write it online; if the online store is away, the batch stands and is written later."""
    desk, gateway, objects = call.resources.desk, call.resources.gateway, call.resources.objects
    if (before := await desk.find(call.command_id, call.request_hash)) is not None:
        call.consented()
        return call.receipt(before)
    view = await view_of(desk.load, body.view_id)
    plan = await gateway.plan(call, {view.view_id: view.sql})
    permit = await gateway.permit(call, plan, Object(type="view", id=view.view_id), grants=body.grants)
    as_of = (body.as_of or call.now()).astimezone(UTC).replace(tzinfo=None)
    features = tuple(one.name for one in view.features)

    def work(sandbox: Sandbox) -> Result[FeatureBatchCommitted]:
        sandbox.keep("__view", view.sql)
        joined = Joined(
            table="__view",
            key=view.key,
            event_time=view.event_time,
            known_time=view.known_time,
            ttl_seconds=view.ttl_seconds,
            features=features,
        )
        sandbox.keep("__newest", newest(joined, moment=f"TIMESTAMP '{as_of.isoformat(' ')}'"))
        table = sandbox.query('SELECT * FROM "__newest"')
        spans = [f"{edge}({quoted(name)}) AS {edge}{name}" for name in (EVENT, KNOWN) for edge in ("min", "max")]
        span = sandbox.query(f'SELECT {", ".join(spans)} FROM "__newest"').to_pylist()[0]
        data, digest = parquet(table)
        batch = FeatureBatchCommitted(
            batch_id=call.new_id(),
            view_id=view.view_id,
            as_of=_text(as_of),
            files=(BatchFile(sha256=digest, bytes=len(data), rows=table.num_rows),),
            rows=table.num_rows,
            min_event=_text(span[f"min{EVENT}"]),
            max_event=_text(span[f"max{EVENT}"]),
            min_known=_text(span[f"min{KNOWN}"]),
            max_known=_text(span[f"max{KNOWN}"]),
            sql_hash=plan.statements[view.view_id].sql_hash,
            engine=", ".join(engines()),
            snapshots=dict(plan.snapshots),
            masks={source: dict(columns) for source, columns in permit.masks.items()},
            tokens=permit.tokens.key_id,
            features=features,
            read_id="",
            committed_by=who(call),
        )
        objects.put(data)
        return Result(value=batch, rows=table.num_rows, bytes=len(data), sha256=sha256(data).hexdigest())

    done = await gateway.read(call, permit, "batch", view.view_id, work)
    batch = replace(done.value, read_id=done.read_id)
    meta = call.meta(permit.authorization, causation_id=done.read_id)
    committed = await desk.handle(
        BATCH, batch.batch_id, CommitBatch(batch=batch), meta, call.command_id, call.request_hash
    )
    # The batch is committed whatever happens now: the reaction to it writes what this cannot.
    with suppress(Unavailable):
        await call.resources.materialiser.ensure_online(batch, meta)
    return call.receipt(committed)


@router.get("")
async def batches(call: Annotated[Call, governed("features.batch.list")], view_id: str | None = None) -> list[BatchOut]:
    await call.authorize(Object(type="batch", id="*"))
    return [BatchOut(**one) for one in await views.batches(call.views, view_id)]


def _text(moment: datetime | None) -> str:
    """A moment of the engine (UTC without a zone) as ISO 8601; "" for none."""
    return "" if moment is None else moment.replace(tzinfo=UTC).isoformat()
