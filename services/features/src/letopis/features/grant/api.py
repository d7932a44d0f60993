"""Grants: issued by a security officer to somebody else, revoked by one."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.grant import views
from letopis.features.grant.decider import (
    GRANT,
    GrantEmpty,
    GrantOver,
    GrantUnknown,
    GrantWithoutEnd,
    IssueGrant,
    OwnGrant,
    RevokeGrant,
    UnmaskWithoutReason,
)
from letopis.features.naming import Id, Text, Title, Word
from letopis.features.source.decider import SOURCE, ColumnUnknown, Registered, SourceUnknown

router = APIRouter(prefix="/v1/grants", tags=["grant"])


class GrantIn(Body):
    """Columns of each source, to a person, a service's login or `group:<name>`, for one purpose, until a moment."""

    grantee: Title
    purpose: Title
    project: Title
    columns: dict[Word, Annotated[list[str], Field(min_length=1)]]
    unmask: bool = False
    not_after: AwareDatetime
    reason: Text = ""


class RevocationIn(Body):
    reason: Text = ""


class GrantOut(BaseModel):
    grant_id: str
    grantee: str
    purpose: str
    project: str
    columns: dict[str, list[str]]
    unmask: bool
    not_after: datetime
    reason: str
    issued_by: str
    issued_at: str
    revoked_by: str | None
    revoked_at: str | None


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(OwnGrant, GrantEmpty, GrantWithoutEnd, UnmaskWithoutReason, SourceUnknown, ColumnUnknown),
)
async def issue(body: GrantIn, call: Annotated[Call, governed("features.grant.issue")]) -> Response:
    grant_id = call.new_id()
    authorization = await call.authorize(
        Object(type="grant", id=grant_id, attributes={"grantee": body.grantee, "purpose": body.purpose})
    )
    for source_id, columns in body.columns.items():
        source = (await call.load(SOURCE, source_id)).state
        if not isinstance(source, Registered):
            raise SourceUnknown(f"there is no source {source_id}")
        unknown = sorted({*columns} - source.dictionary.keys())
        if unknown:
            raise ColumnUnknown(f"{source_id} has no column {', '.join(unknown)}", columns=unknown)
    command = IssueGrant(
        grant_id=grant_id,
        grantee=body.grantee,
        purpose=body.purpose,
        project=body.project,
        columns={source: tuple(columns) for source, columns in body.columns.items()},
        unmask=body.unmask,
        not_after=body.not_after,
        reason=body.reason,
        issued_by=call.caller.person,
        at=call.now(),
    )
    return call.receipt(await call.handle(GRANT, grant_id, command, authorization))


@router.post(
    "/{grant_id}/revocation", status_code=201, response_model=Receipt, responses=problems(GrantUnknown, GrantOver)
)
async def revoke(
    grant_id: Id, body: RevocationIn, call: Annotated[Call, governed("features.grant.revoke")]
) -> Response:
    authorization = await call.authorize(Object(type="grant", id=grant_id))
    command = RevokeGrant(reason=body.reason, revoked_by=call.caller.person)
    return call.receipt(await call.handle(GRANT, grant_id, command, authorization))


@router.get("")
async def grants(call: Annotated[Call, governed("features.grant.list")], grantee: str | None = None) -> list[GrantOut]:
    await call.authorize(Object(type="grant", id="*"))
    return [GrantOut(**one) for one in await views.grants(call.views, grantee)]
