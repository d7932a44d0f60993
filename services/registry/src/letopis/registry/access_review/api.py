"""Exporting the access review."""

import asyncio
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter, Response

from letopis.common.http import Call, Object, governed
from letopis.common.identity.caller import Principal
from letopis.common.policy.sources import bundle_of, collect
from letopis.registry.access_review import review
from letopis.registry.access_review.decider import ACCESS_REVIEW, ExportReview
from letopis.registry.principal import views

router = APIRouter(prefix="/v1/access-reviews", tags=["access_review"])
MEDIA = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


def _roles(principal: Principal | None, own: list[str]) -> set[str]:
    """The roles of a login with those of its groups and those lent to it."""
    return {*own, *principal.roles, *(one.role for one in principal.lent)} if principal else set(own)


@router.post("", responses={200: {"content": {one: {} for one in MEDIA.values()}}})
async def export(
    call: Annotated[Call, governed("registry.access_review.export")], format: Literal["json", "csv"] = "json"
) -> Response:
    """Who can do what and why, one row a person, roles that do not go together marked; the export is recorded.

    The actions are those of the policy that is installed here; its revision stands in the review.
    """
    authorization = await call.authorize(Object(type="access_review", id="*"))
    bundle = await asyncio.to_thread(lambda: bundle_of(collect()))
    tables = bundle.data["bundle"]
    position = (await call.views.positions(views.Principals)).get("registry", 0)
    may = {one.login: one for one in await call.resources.directory.everyone()}
    known = await views.everyone(call.views)
    rows = review.review(
        [{**one, "roles": sorted(_roles(may.get(one["login"]), one["roles"]))} for one in known],
        tables["actions"],
        tables["settings"]["registry"]["principal"]["toxic"],
        call.now().date(),
    )
    data = review.document(rows, bundle.revision, position) if format == "json" else review.table(rows)
    command = ExportReview(
        review_id=call.new_id(),
        by=call.caller.person,
        persons=len(rows),
        conflicts=sum(1 for row in rows if row["conflicts"]),
        revision=bundle.revision,
        sha256=sha256(data).hexdigest(),
    )
    handled = await call.handle(ACCESS_REVIEW, command.review_id, command, authorization)
    name = f"access-review-{handled.position}.{format}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Letopis-Position": f"registry/{handled.position}",
    }
    return Response(data, media_type=MEDIA[format], headers=headers)
