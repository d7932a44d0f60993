"""Decisions, asked of their owner as the person who looks: the latest, and one with its proof checked here."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.envelope import record_from_json
from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway, OwnerSays
from letopis.console.page.rendering import show
from letopis.console.promotion.views import promotions

router = APIRouter(prefix="/decisions", tags=["decision"])

SHOWN = 50


@router.get("", responses=problems(OwnerAway))
async def decisions(
    request: Request,
    call: Annotated[Call, governed("console.page.decision")],
    decision: str = "",
    application: str = "",
    entity_id: str = "",
) -> Response:
    await call.authorize(Object(type="decision", id="*"))
    if not call.purpose:
        return _ask_purpose(request)
    asked = {"decision": decision, "application": application, "entity_id": entity_id.strip()}
    found: list[dict[str, Any]] = await call.resources.owners.document(
        call, "inference", "/v1/decisions", limit=SHOWN, **asked
    )
    return show(call, "decisions.html", decisions=found, asked=asked)


@router.get("/{decision_id}", responses=problems(OwnerAway))
async def decision(
    decision_id: str, request: Request, call: Annotated[Call, governed("console.page.decision")]
) -> Response:
    await call.authorize(Object(type="decision", id=decision_id))
    if not call.purpose:
        return _ask_purpose(request)
    told = await _told(call, decision_id)
    made: dict[str, Any] = told["data"]
    revealed = await _revealed(call, told["decision_id"])
    proof = await call.resources.sealed.prove(call, record_from_json(told["record"]))
    asked = await promotions(call.views, version_id=made["version_id"])
    return show(
        call,
        "decision.html",
        decision=told,
        made=made,
        inputs=revealed.get("inputs"),
        hidden=revealed.get("hidden", ""),
        looked_up={one["name"]: one for one in made["looked_up"]},
        proof=proof,
        approved=[one for one in asked if one["state"] == "completed"],
    )


@router.get("/{decision_id}/proof", responses=problems(OwnerAway))
async def proof(decision_id: str, call: Annotated[Call, governed("console.page.decision")]) -> Response:
    """The proof as a file, in the shape of audit's evidence: record, leaf, path, signed checkpoint, key."""
    await call.authorize(Object(type="decision", id=decision_id))
    told = await _told(call, decision_id)
    found = await call.resources.sealed.prove(call, record_from_json(told["record"]))
    body = msgspec.json.format(msgspec.json.encode(found.document()), indent=2)
    headers = {"content-disposition": f'attachment; filename="letopis-proof-{told["decision_id"]}.json"'}
    return Response(body, media_type="application/json", headers=headers)


async def _told(call: Call, decision_id: str) -> dict[str, Any]:
    path = f"/v1/decisions/{quote(decision_id, safe='')}"
    told: dict[str, Any] = await call.resources.owners.document(call, "inference", path)
    return told


async def _revealed(call: Call, decision_id: str) -> dict[str, Any]:
    """The inputs, if the person may see them; their owner records it. `hidden` says why there are none."""
    try:
        told: dict[str, Any] = await call.resources.owners.shown(
            call, "inference", f"/v1/decisions/{quote(decision_id, safe='')}/reveals"
        )
    except OwnerSays as refused:
        return {"hidden": f"The inputs are sealed: {refused.detail}"}
    except OwnerAway:
        return {"hidden": "The inputs are sealed, and their keys cannot be reached now. Try again in a moment."}
    if told["erased"]:
        return {"hidden": "The inputs were erased: the client's key was destroyed. Score and proof stand."}
    return told


def _ask_purpose(request: Request) -> Response:
    """The owner shows decisions only for a stated purpose; the question comes before anything is asked of it."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/purpose?next={quote(here, safe='')}", status_code=303)
