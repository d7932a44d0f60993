"""Jobs over HTTP: bring a file, start, look, fetch the scores."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from letopis.common.errors import Invalid, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, media, problems
from letopis.common.objects import ObjectStore
from letopis.inference.job import views
from letopis.inference.job.decider import JOB, StartJob
from letopis.inference.job.events import JobStarted
from letopis.inference.job.rows import FileUnfit, inspect

router = APIRouter(prefix="/v1", tags=["job"])

CHUNK_ROWS = 1000
FILE_LIMIT = 1 << 30


class JobIn(Body):
    """The file is named by its SHA-256 in the object store, or by a path below the folder of files.

    `as_of` is the business time of the rows, such as the end of the month they describe.
    """

    application: str
    api_version: str = "v1"
    source_sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    path: str | None = None
    as_of: AwareDatetime | None = None

    @model_validator(mode="after")
    def one_source(self) -> "JobIn":
        if (self.source_sha256 is None) == (self.path is None):
            raise ValueError("name the file either by source_sha256 or by path")
        return self


class FileOut(BaseModel):
    sha256: str
    bytes: int


class JobOut(BaseModel):
    job_id: str
    application: str
    api_version: str
    version_id: str
    state: str
    as_of: datetime | None
    rows: int
    scored: int
    refused: int
    source_sha256: str
    output_sha256: str
    consumer: str
    started_at: datetime
    ended_at: datetime | None
    note: str


@router.post("/files", status_code=201, responses=problems())
async def bring(
    request: Request,
    call: Annotated[Call, governed("inference.job.bring", streamed=True, body_limit=FILE_LIMIT, deadline=300)],
) -> FileOut:
    """A Parquet file as the body; it is kept under its SHA-256 until the job that reads it has ended."""
    await call.authorize(Object(type="file", id="*"))
    aside = call.resources.settings.state_dir / "files"
    aside.mkdir(parents=True, exist_ok=True)
    path = aside / call.new_id()
    size = 0
    try:
        with path.open("xb") as file:
            async for piece in request.stream():
                size += file.write(piece)
        sha = await asyncio.to_thread(call.resources.brought.put_file, path)
    finally:
        path.unlink(missing_ok=True)
    return FileOut(sha256=sha, bytes=size)


@router.post("/jobs", status_code=201, response_model=Receipt, responses=problems(NotFound, FileUnfit))
async def start(body: JobIn, call: Annotated[Call, governed("inference.job.start")]) -> Response:
    target = call.resources.serving.find(body.application, body.api_version)
    active, servable = target.active, target.servable
    authorization = await call.authorize(
        Object(type="application", id=active.deployment_id, attributes={"version_id": active.version_id}),
        facts={"consumers": list(active.consumers)},
    )
    sha = body.source_sha256 or await _brought(call, body.path or "")
    path = await asyncio.to_thread(call.resources.jobs.source, sha)
    rows = await asyncio.to_thread(inspect, path, servable.plan)
    job_id = str(call.command_id)
    started = JobStarted(
        job_id=job_id,
        deployment_id=active.deployment_id,
        application=active.application,
        api_version=active.api_version,
        model_id=active.model_id,
        version_id=active.version_id,
        version_digest=active.version_digest,
        source_sha256=sha,
        rows=rows,
        chunk_rows=CHUNK_ROWS,
        as_of=body.as_of,
        decisions_head=await call.resources.store.head("decisions"),
        consumer=call.caller.login,
        at=call.now(),
    )
    handled = await call.handle(JOB, job_id, StartJob(started=started), authorization)
    call.resources.news.heard(handled.ledger, handled.position)
    return call.receipt(handled)


@router.get("/jobs")
async def jobs(call: Annotated[Call, governed("inference.job.list")]) -> list[JobOut]:
    await call.authorize(Object(type="job", id="*"))
    return [JobOut(**one) for one in await views.jobs(call.views)]


@router.get("/jobs/{job_id}", responses=problems(NotFound))
async def job(job_id: str, call: Annotated[Call, governed("inference.job.read")]) -> JobOut:
    await call.authorize(Object(type="job", id=job_id))
    return JobOut(**await _found(call, job_id))


@router.get(
    "/jobs/{job_id}/scores", response_class=media("application/vnd.apache.parquet"), responses=problems(NotFound)
)
async def scores(job_id: str, call: Annotated[Call, governed("inference.job.scores")]) -> Response:
    """The scores of a completed job as Parquet."""
    await call.authorize(Object(type="job", id=job_id))
    found = await _found(call, job_id)
    if found["state"] != "completed":
        raise NotFound(f"job {job_id} is {found['state']}")
    path = await asyncio.to_thread(call.resources.objects.verified, found["output_sha256"])
    return FileResponse(path, media_type="application/vnd.apache.parquet")


async def _found(call: Call, job_id: str) -> dict[str, Any]:
    found = await views.job(call.views, job_id)
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return found


async def _brought(call: Call, path: str) -> str:
    """A file below the allowed folder, copied into the object store so that it stays what it was."""
    root: Path | None = call.resources.settings.files_dir
    if root is None:
        raise Invalid("paths are not accepted here; bring the file by POST /v1/files")
    sha: str = await asyncio.to_thread(_copied, call.resources.brought, root, path)
    return sha


def _copied(objects: ObjectStore, root: Path, path: str) -> str:
    whole = (root / path).resolve()
    if not whole.is_relative_to(root.resolve()) or not whole.is_file():
        raise NotFound(f"there is no file {path} below the folder of files")
    return objects.put_file(whole)
