"""Training sets: built through the gateway, described, read for their purpose, verified by anybody."""

import asyncio
from dataclasses import replace
from datetime import UTC
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from letopis.common.errors import NotFound, Refused
from letopis.common.http import Body, Call, Object, Receipt, governed, media, problems
from letopis.features.bundle.decider import BundleUnknown
from letopis.features.bundle.loading import bundle_of, view_of
from letopis.features.dataset import views
from letopis.features.dataset.build import NamesClash, SpineWrong, build, described, engines, parquet
from letopis.features.dataset.decider import (
    DATASET,
    Built,
    DatasetDiverged,
    DatasetEmpty,
    DatasetUnknown,
    RecordDataset,
    RecordVerification,
)
from letopis.features.dataset.events import DatasetBuilt, DatasetFile
from letopis.features.dataset.hashing import hashed
from letopis.features.dataset.manifest import Split, dataset_id, recipe
from letopis.features.naming import Id, Title
from letopis.features.query.gate import ColumnsDisagree, FunctionNotAllowed, ReadOnly, SqlNotUnderstood
from letopis.features.query.gateway import FULFILS, ExtractMissing, Permit, Plan, Result, stricter, who
from letopis.features.query.sandbox import Sandbox, SqlFailed
from letopis.features.source.decider import SOURCE, Registered
from letopis.features.source.lake import FileChanged
from letopis.features.view.lineage import lineage

router = APIRouter(prefix="/v1/datasets", tags=["dataset"])


class MasksChanged(Refused):
    """The set was built when less had to be hidden."""

    code = "dataset.masks_changed"
    title = "Policy now hides more of these columns than this training set does; build it again"


class SplitIn(Body):
    seed: Annotated[int, Field(ge=0, lt=2**53)]
    test_share: Annotated[float, Field(gt=0, lt=1)]


class DatasetIn(Body):
    """`spine_sql` gives the rows: the entity's key, a moment called as_of, and labels.

    `known_time` source: only what was known at the moment; event: what was true, known or not (for comparison).
    `known_until`: nothing that became known later.
    """

    name: Title
    bundle_id: str
    spine_sql: Annotated[str, Field(min_length=1, max_length=20_000)]
    known_time: Literal["source", "event"] = "source"
    known_until: AwareDatetime | None = None
    split: SplitIn | None = None
    grants: list[str] = Field(default_factory=list)


class DatasetOut(BaseModel):
    dataset_id: str
    name: str
    purpose: str
    bundle_id: str
    rows: int
    columns: list[dict[str, Any]]
    files: list[dict[str, Any]]
    leak: list[dict[str, Any]]
    recipe: dict[str, Any]
    built_by: str
    built_at: str
    read_id: str
    rebuilds: int
    intact: bool | None
    damaged: list[str] | None
    verified_at: str | None


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        BundleUnknown,
        ExtractMissing,
        ReadOnly,
        SqlNotUnderstood,
        FunctionNotAllowed,
        ColumnsDisagree,
        SpineWrong,
        NamesClash,
        SqlFailed,
        FileChanged,
        DatasetEmpty,
        DatasetDiverged,
    ),
)
async def build_dataset(
    body: DatasetIn,
    call: Annotated[
        Call, governed("features.query.dataset", delegable=True, fulfils=FULFILS, ledger="access", deadline=300)
    ],
) -> Response:
    """Build a training set; the read is a fact before the first row is, the manifest one after the last."""
    desk, gateway, objects = call.resources.desk, call.resources.gateway, call.resources.objects
    if (before := await desk.find(call.command_id, call.request_hash)) is not None:
        call.consented()
        return call.receipt(before)
    bundle = await bundle_of(desk.load, body.bundle_id)
    used = [await view_of(desk.load, id) for id in dict.fromkeys(one.view_id for one in bundle.features)]
    plan: Plan = await gateway.plan(call, {"spine": body.spine_sql, **{one.view_id: one.sql for one in used}})
    permit: Permit = await gateway.permit(call, plan, Object(type="dataset", id=bundle.bundle_id), grants=body.grants)
    split = Split(seed=body.split.seed, test_share=body.split.test_share) if body.split else None
    known_until = (
        "" if body.known_until is None else body.known_until.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    )
    made_of = recipe(
        bundle_id=bundle.bundle_id,
        views={one.view_id: plan.statements[one.view_id].sql_hash for one in used},
        spine_sql=plan.statements["spine"].sql,
        snapshots=plan.snapshots,
        known_time=body.known_time,
        known_until=known_until,
        split=split,
        masks=permit.masks,
        tokens=permit.tokens.key_id,
        engines=engines(),
    )
    id = dataset_id(made_of)
    dictionary = {source: one.dictionary for source, one in plan.sources.items()}

    def work(sandbox: Sandbox) -> Result[DatasetBuilt]:
        built = build(
            sandbox,
            bundle=bundle,
            views=used,
            spine_sql=body.spine_sql,
            known_time=body.known_time,
            known_until=known_until,
            split=split,
        )
        data, digest = parquet(built.table)
        manifest = DatasetBuilt(
            dataset_id=id,
            name=body.name,
            purpose=call.purpose,
            bundle_id=bundle.bundle_id,
            recipe=made_of,
            reads=plan.planned,
            files=(DatasetFile(sha256=digest, bytes=len(data), rows=built.table.num_rows),),
            rows=built.table.num_rows,
            columns=described(
                built,
                bundle=bundle,
                views=used,
                label_origin=lineage(body.spine_sql, dictionary, plan.statements["spine"].parsed),
                **_by_column(permit),
            ),
            leak=built.leak,
            read_id="",
            built_by=who(call),
        )
        if manifest.rows:
            objects.put(data)
        return Result(value=manifest, rows=manifest.rows, bytes=len(data), sha256=digest)

    done = await gateway.read(call, permit, "dataset", id, work)
    command = RecordDataset(built=_with_read(done.value, done.read_id))
    meta = call.meta(permit.authorization, causation_id=done.read_id)
    return call.receipt(await desk.handle(DATASET, id, command, meta, call.command_id, call.request_hash))


@router.get("")
async def datasets(call: Annotated[Call, governed("features.dataset.list", delegable=True)]) -> list[DatasetOut]:
    await call.authorize(Object(type="dataset", id="*"))
    return [DatasetOut(**one) for one in await views.datasets(call.views)]


@router.get("/{dataset_id}", responses=problems(NotFound))
async def dataset(
    dataset_id: Id, call: Annotated[Call, governed("features.dataset.read", delegable=True)]
) -> DatasetOut:
    await call.authorize(Object(type="dataset", id=dataset_id))
    found = await views.datasets(call.views, dataset_id)
    if not found:
        raise NotFound(f"there is no training set {dataset_id}")
    return DatasetOut(**found[0])


@router.get(
    "/{dataset_id}/data",
    response_class=media("application/vnd.apache.parquet"),
    responses=problems(DatasetUnknown, MasksChanged),
)
async def data(
    dataset_id: Id,
    call: Annotated[
        Call,
        governed("features.query.download", delegable=True, fulfils=FULFILS, ledger="access", read=False, deadline=120),
    ],
) -> Response:
    """The rows as Parquet, for the purpose the set was built for; a recorded read like any other."""
    desk, gateway, objects = call.resources.desk, call.resources.gateway, call.resources.objects
    state = (await desk.load(DATASET, dataset_id)).state
    if not isinstance(state, Built):
        raise DatasetUnknown
    manifest = state.manifest
    plan = await _stored(call, manifest)
    object = Object(type="dataset", id=dataset_id, attributes={"purpose": manifest.purpose})
    permit = await gateway.permit(call, plan, object)
    shown = manifest.recipe["masks"]
    for source, columns in permit.masks.items():
        for column, treatment in columns.items():
            was = shown.get(source, {}).get(column, "deny")
            if stricter(was, treatment) != was:
                raise MasksChanged(f"{source}.{column} was shown as {was} and must be {treatment}")

    def work(_: Sandbox) -> Result[bytes]:
        content = objects.get(manifest.files[0].sha256)
        return Result(value=content, rows=manifest.rows, bytes=len(content), sha256=sha256(content).hexdigest())

    done = await gateway.read(call, permit, "download", dataset_id, work, sources=False)
    headers = {
        "Letopis-Read": done.read_id,
        "Letopis-Position": f"access/{done.position}",
        "Content-Disposition": f'attachment; filename="{dataset_id[:16]}.parquet"',
    }
    return Response(done.value, media_type="application/vnd.apache.parquet", headers=headers)


@router.post("/{dataset_id}/verify", status_code=201, response_model=Receipt, responses=problems(DatasetUnknown))
async def verify(dataset_id: Id, call: Annotated[Call, governed("features.dataset.verify")]) -> Response:
    """Hash the files again and record whether they are what they were; nobody sees a row."""
    authorization = await call.authorize(Object(type="dataset", id=dataset_id))
    state = (await call.load(DATASET, dataset_id)).state
    if not isinstance(state, Built):
        raise DatasetUnknown
    names = [file.sha256 for file in state.manifest.files]
    found = await asyncio.to_thread(hashed, call.resources.objects, names)
    command = RecordVerification(found=found, verified_by=who(call))
    return call.receipt(await call.handle(DATASET, dataset_id, command, authorization))


async def _stored(call: Call, manifest: DatasetBuilt) -> Plan:
    """What reading a stored set amounts to: the columns it was made of, under the classes of today."""
    sources: dict[str, Registered] = {}
    for id in manifest.reads:
        state = (await call.resources.desk.load(SOURCE, id)).state
        if isinstance(state, Registered):
            sources[id] = state
    return Plan(
        statements={},
        sources=sources,
        parsed=manifest.reads,
        planned=manifest.reads,
        snapshots=manifest.recipe["snapshots"],
    )


def _by_column(permit: Permit) -> dict[str, dict[str, str]]:
    """Classes, kinds and treatments by `source.column`."""
    told: dict[str, dict[str, str]] = {"classes": {}, "kinds": {}, "treatments": {}}
    for source, columns in permit.masks.items():
        known = permit.plan.sources[source]
        for column, treatment in columns.items():
            name = f"{source}.{column}"
            told["classes"][name] = known.cls(column)
            told["kinds"][name] = known.kinds.get(column, "")
            told["treatments"][name] = treatment
    return told


def _with_read(manifest: DatasetBuilt, read_id: str) -> DatasetBuilt:
    return replace(manifest, read_id=read_id)
