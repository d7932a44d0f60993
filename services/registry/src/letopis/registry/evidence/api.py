"""Adding evidence to a version."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from letopis.common.errors import Invalid, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.evidence.decider import EVIDENCE, AddEvidence, EvidenceKindUnknown
from letopis.registry.version.decider import VERSION, Registered

router = APIRouter(prefix="/v1/versions", tags=["evidence"])


class EvidenceIn(Body):
    """The result of one check; `attachment` is the SHA-256 of a document uploaded before, or empty."""

    kind: str
    outcome: Literal["passed", "failed"]
    summary: Annotated[str, Field(min_length=1, max_length=2000)]
    numbers: dict[str, Any] = {}
    attachment: str = ""


@router.post(
    "/{version_id}/evidence",
    status_code=201,
    response_model=Receipt,
    responses=problems(EvidenceKindUnknown, NotFound),
)
async def add(version_id: str, body: EvidenceIn, call: Annotated[Call, governed("registry.evidence.add")]) -> Response:
    version = (await call.load(VERSION, version_id)).state
    if not isinstance(version, Registered):
        raise NotFound(f"there is no version {version_id}")
    authorization = await call.authorize(
        Object(type="version", id=version_id), facts={"author": version.author, "kind": body.kind}
    )
    if body.attachment and not call.resources.objects.has(body.attachment):
        raise Invalid(f"attachment {body.attachment} is not in the store; upload it first", field="attachment")
    command = AddEvidence(
        version_id=version_id,
        version_digest=version.digest,
        kind=body.kind,
        outcome=body.outcome,
        summary=body.summary,
        numbers=body.numbers,
        attachment=body.attachment,
        by=call.caller.person,
    )
    return call.receipt(await call.handle(EVIDENCE, version_id, command, authorization))
