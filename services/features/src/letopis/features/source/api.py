"""Sources: registered, loaded by extract records, classified by a second person."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.naming import Id, Text, Title, Word
from letopis.features.source import views
from letopis.features.source.classes import ColumnClass, ColumnKind, Zone
from letopis.features.source.decider import (
    SOURCE,
    ClassUnknown,
    ColumnUnknown,
    ConfirmClasses,
    DictionaryBroken,
    ExtractEmpty,
    LicenceMissing,
    LoweredWithoutReason,
    ProductionZone,
    ReasonMissing,
    RecordExtract,
    Registered,
    RegisterSource,
    SnapshotKnown,
    SourceExists,
    SourceUnknown,
)
from letopis.features.source.lake import FileUnusable

router = APIRouter(prefix="/v1/sources", tags=["source"])

LARGEST_UPLOAD = 1024**3
FileName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,100}\.parquet$")]


class SourceIn(Body):
    """`source_id` is the name of the table in SQL."""

    source_id: Word
    name: Title
    zone: Zone
    description: Text = ""
    owner: str = ""
    licence: Text = ""
    purpose: Text = ""


class ExtractIn(Body):
    """Parquet files below the source root, the job that made them, and why (for a load by hand)."""

    files: Annotated[list[str], Field(min_length=1, max_length=1000)]
    job: Text = ""
    reason: Text = ""


class FileOut(BaseModel):
    """An uploaded file; `path` is what an extract record names."""

    path: str
    sha256: str
    bytes: int


class ColumnClassIn(Body):
    cls: ColumnClass
    kind: ColumnKind = ""


class ClassificationIn(Body):
    """What columns hold. With `accept_proposals` the columns not named take what the recognisers proposed."""

    classes: dict[str, ColumnClassIn] = Field(default_factory=dict)
    accept_proposals: bool = False
    reason: Text = ""


class ColumnOut(BaseModel):
    column_name: str
    type: str
    cls: str
    kind: str
    confirmed_by: str | None
    confirmed_at: str | None
    proposed_cls: str | None
    proposed_kind: str | None
    proposed_share: float | None
    proposed_by: str | None


class SourceOut(BaseModel):
    source_id: str
    name: str
    zone: str
    description: str
    owner: str
    licence: str
    purpose: str
    registered_at: str
    extract_id: str | None
    snapshot_id: str | None
    rows: int | None
    job: str | None
    extracted_at: str | None
    extracted_by: str | None
    files: list[dict[str, Any]] | None


class SourcePage(SourceOut):
    """A source with its dictionary."""

    columns: list[ColumnOut]


@router.post("", status_code=201, response_model=Receipt, responses=problems(SourceExists, LicenceMissing))
async def register(body: SourceIn, call: Annotated[Call, governed("features.source.register")]) -> Response:
    authorization = await call.authorize(Object(type="source", id=body.source_id))
    command = RegisterSource(
        source_id=body.source_id,
        name=body.name,
        zone=body.zone,
        description=body.description,
        owner=body.owner or call.caller.person,
        licence=body.licence,
        purpose=body.purpose,
        registered_by=call.caller.person,
    )
    return call.receipt(await call.handle(SOURCE, body.source_id, command, authorization))


@router.put("/{source_id}/files/{name}", status_code=201, responses=problems(SourceUnknown, FileUnusable))
async def upload(
    source_id: Id,
    name: FileName,
    request: Request,
    call: Annotated[Call, governed("features.source.upload", body_limit=LARGEST_UPLOAD, streamed=True, deadline=300)],
) -> FileOut:
    """Take a Parquet file to below the source root; it is read by nobody before an extract record names it."""
    source = (await call.load(SOURCE, source_id)).state
    if not isinstance(source, Registered):
        raise SourceUnknown
    await call.authorize(Object(type="source", id=source_id, attributes={"zone": source.zone}))
    path = call.resources.lake.place(source_id, name)
    aside, told, size = path.with_suffix(f".{call.new_id()}"), sha256(), 0
    try:
        with aside.open("xb") as file:
            async for piece in request.stream():
                told.update(piece)
                size += len(piece)
                await asyncio.to_thread(file.write, piece)
        aside.chmod(0o600)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
    return FileOut(path=f"{source_id}/{name}", sha256=told.hexdigest(), bytes=size)


@router.post(
    "/{source_id}/extracts",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        SourceUnknown, ProductionZone, ReasonMissing, ExtractEmpty, SnapshotKnown, DictionaryBroken, FileUnusable
    ),
)
async def extract(
    source_id: Id, body: ExtractIn, call: Annotated[Call, governed("features.source.extract", deadline=120)]
) -> Response:
    """Record a load: hash the files, read their columns, let the recognisers propose classes."""
    source = (await call.load(SOURCE, source_id)).state
    if not isinstance(source, Registered):
        raise SourceUnknown
    authorization = await call.authorize(Object(type="source", id=source_id, attributes={"zone": source.zone}))
    looked = await asyncio.to_thread(call.resources.lake.look, body.files)
    command = RecordExtract(
        extract_id=call.new_id(),
        files=looked.files,
        columns=looked.columns,
        sampled_rows=looked.sampled_rows,
        proposals=looked.proposals,
        job=body.job,
        reason=body.reason,
        recorded_by=call.caller.person or call.caller.login,
    )
    return call.receipt(await call.handle(SOURCE, source_id, command, authorization))


@router.post(
    "/{source_id}/classification",
    status_code=201,
    response_model=Receipt,
    responses=problems(SourceUnknown, ColumnUnknown, ClassUnknown, LoweredWithoutReason),
)
async def classify(
    source_id: Id, body: ClassificationIn, call: Annotated[Call, governed("features.source.confirm")]
) -> Response:
    """A person says what the columns hold; until then they count as restricted."""
    source = (await call.load(SOURCE, source_id)).state
    if not isinstance(source, Registered):
        raise SourceUnknown
    loaded_by = source.extract.recorded_by if source.extract else "nobody"
    authorization = await call.authorize(Object(type="source", id=source_id), facts={"extracted_by": loaded_by})
    named: dict[str, tuple[ColumnClass, str]] = {column: (one.cls, one.kind) for column, one in body.classes.items()}
    if body.accept_proposals:
        named = {column: (one.cls, one.kind) for column, one in source.proposed.items()} | named
    command = ConfirmClasses(
        classes={column: cls for column, (cls, _) in named.items()},
        kinds={column: kind for column, (_, kind) in named.items()},
        confirmed_by=call.caller.person,
        reason=body.reason,
    )
    return call.receipt(await call.handle(SOURCE, source_id, command, authorization))


@router.get("")
async def sources(call: Annotated[Call, governed("features.source.list", delegable=True)]) -> list[SourceOut]:
    await call.authorize(Object(type="source", id="*"))
    return [SourceOut(**one) for one in await views.sources(call.views)]


@router.get("/{source_id}", responses=problems(NotFound))
async def source(source_id: Id, call: Annotated[Call, governed("features.source.read", delegable=True)]) -> SourcePage:
    await call.authorize(Object(type="source", id=source_id))
    found = await views.source(call.views, source_id)
    if found is None:
        raise NotFound(f"there is no source {source_id}")
    return SourcePage(**found)
