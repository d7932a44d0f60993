"""The page of standing claims: what must never happen, whether it did, and the drills that try the controls."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.http import Call, Object, governed
from letopis.console.page.rendering import show

router = APIRouter(tags=["claim"])


@router.get("/claims")
async def claims(call: Annotated[Call, governed("console.page.read")]) -> Response:
    """Audit is asked as the person who looks; if it is away or refuses, the page says so."""
    await call.authorize(Object(type="page", id="claims"))
    found: dict[str, Any] = {"latest": None, "claims": [], "drills": [], "silent": ""}
    try:
        evaluations = await call.resources.owners.document(call, "audit", "/v1/claims/evaluations")
        if evaluations:
            found["latest"] = evaluations[0]
            path = f"/v1/claims/evaluations/{evaluations[0]['sha256']}"
            document = await call.resources.owners.document(call, "audit", path)
            found["claims"] = sorted(document["claims"], key=lambda one: (one["verdict"] == "held", one["id"]))
            found["as_of"] = document["as_of"]
        found["drills"] = await call.resources.owners.document(call, "audit", "/v1/drills")
    except Unavailable as error:
        found["silent"] = error.detail
    except LetopisError as error:
        found["silent"] = f"{error.title}. {error.detail}"
    return show(call, "claims.html", **found)
