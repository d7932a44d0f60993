"""The page of parked facts: what waits and why, a form to ask for a release, and a button to agree to another's."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

import httpx
import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway, OwnerSays
from letopis.console.page.rendering import show

router = APIRouter(tags=["parked"])

Service = Literal["registry", "features", "inference"]
SERVICES: tuple[Service, ...] = ("registry", "features", "inference")
DOORS = {"ask": "requests", "agree": "agreements"}


@router.get("/parked")
async def parked(call: Annotated[Call, governed("console.page.read")]) -> Response:
    """Every service is asked as the person who looks; one that is away or refuses says so on the page."""
    await call.authorize(Object(type="page", id="parked"))
    found = await asyncio.gather(*(_of(call, service) for service in SERVICES))
    return show(call, "parked.html", services=found)


@router.post("/parked/{service}/{parked_id}/{deed}", responses=problems(OwnerAway))
async def release(
    service: Service,
    parked_id: str,
    deed: Literal["ask", "agree"],
    request: Request,
    call: Annotated[Call, governed("console.page.act", read=True)],
) -> Response:
    """Hands the request or the agreement to the service as the person who clicked, and shows the page again."""
    await call.authorize(Object(type="page", id="parked"))
    form = {name: told[0] for name, told in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
    body = {name: form[name] for name in (("way", "reason") if deed == "ask" else ("way",)) if name in form}
    path = f"/v1/parked/{quote(parked_id, safe='')}/{DOORS[deed]}"
    sent = msgspec.json.encode(body)
    answer: Response = await call.resources.owners.pass_on(
        call, service, path, sent, {"content-type": "application/json"}
    )
    if answer.status_code >= 400:
        raise OwnerSays(service, httpx.Response(answer.status_code, content=bytes(answer.body)))
    back = RedirectResponse("/parked", status_code=303, headers={"cache-control": "no-store"})
    back.raw_headers.extend(one for one in answer.raw_headers if one[0] == b"set-cookie")
    return back


async def _of(call: Call, service: str) -> dict[str, Any]:
    try:
        told = await call.resources.owners.document(call, service, "/v1/parked")
    except Unavailable as error:
        return {"name": service, "parked": [], "silent": error.detail}
    except LetopisError as error:
        return {"name": service, "parked": [], "silent": error.title}
    return {"name": service, "parked": told["parked"], "silent": ""}
