"""The chronicle's pages: facts searched, and one fact."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from letopis.common.envelope import record_from_json
from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.console.chronicle import views
from letopis.console.page.owners import OwnerAway
from letopis.console.page.rendering import show

router = APIRouter(tags=["chronicle"])

SHOWN = 50
Text = Annotated[str, Query(max_length=200)]


@router.get("/chronicle")
async def chronicle(
    call: Annotated[Call, governed("console.page.chronicle")], ledger: Text = "", text: Text = "", before: Text = ""
) -> Response:
    await call.authorize(Object(type="page", id="chronicle"))
    found = await views.facts(call.views, views.Wanted(ledger=ledger, text=text.strip(), before=before), SHOWN)
    return show(
        call,
        "chronicle.html",
        facts=found,
        older=views.mark(found[-1]) if len(found) == SHOWN else "",
        asked={"ledger": ledger, "text": text},
        ledgers=views.LEDGERS,
        sizes=await call.resources.sealed.sizes((*views.LEDGERS, "decisions")),
        audit_url=call.resources.settings.audit_url,
    )


@router.get("/facts/{event_id}", responses=problems(NotFound))
async def fact(event_id: str, call: Annotated[Call, governed("console.page.chronicle")]) -> Response:
    await call.authorize(Object(type="page", id="fact"))
    found = await views.fact(call.views, event_id)
    if found is None:
        raise NotFound(f"no fact {event_id} stands in the chronicle here; single decisions have pages of their own")
    return show(call, "fact.html", fact=found, record=None, proof=None)


@router.get("/facts/{event_id}/whole", responses=problems(NotFound, OwnerAway))
async def whole(event_id: str, call: Annotated[Call, governed("console.page.chronicle")]) -> Response:
    """The fact as audit holds it, with its circumstances and proof; audit records who was shown it."""
    await call.authorize(Object(type="page", id="fact"))
    found = await views.fact(call.views, event_id)
    if found is None:
        raise NotFound(f"no fact {event_id} stands in the chronicle here")
    if not call.purpose:
        return RedirectResponse(f"/purpose?next={quote(f'/facts/{event_id}/whole', safe='')}", status_code=303)
    path = f"/v1/evidence/{quote(event_id, safe='')}"
    told = await call.resources.owners.document(call, "audit", path)
    proof = await call.resources.sealed.prove(call, record_from_json(told["record"]))
    return show(call, "fact.html", fact=found, record=told["record"], proof=proof)
