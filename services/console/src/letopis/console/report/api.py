"""The page of reports: what can be asked for, what was issued and what it found, and downloads."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

import httpx
import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway, OwnerSays
from letopis.console.page.rendering import show

router = APIRouter(prefix="/reports", tags=["report"])

Lang = Annotated[Literal["en", "ru"], Query()]
FORMS: dict[str, dict[str, str]] = {
    "json": {"format": "json"},
    "csv": {"format": "csv"},
    "en.pdf": {"format": "pdf", "lang": "en"},
    "ru.pdf": {"format": "pdf", "lang": "ru"},
}


@router.get("", responses=problems(OwnerAway))
async def reports(
    request: Request, call: Annotated[Call, governed("console.page.chronicle")], lang: Lang = "en"
) -> Response:
    await call.authorize(Object(type="page", id="reports"))
    if not call.purpose:
        return RedirectResponse(f"/purpose?next={quote(request.url.path, safe='')}", status_code=303)
    types: list[dict[str, Any]] = await call.resources.owners.document(call, "audit", "/v1/report-types")
    issued: list[dict[str, Any]] = await call.resources.owners.document(call, "audit", "/v1/reports")
    titles = {one["type"]: one["title"][lang] for one in types}
    return show(call, "reports.html", types=types, issued=issued, titles=titles, lang=lang)


@router.post("", responses=problems(OwnerAway))
async def issue(request: Request, call: Annotated[Call, governed("console.page.act", read=True)]) -> Response:
    """Hands the request to audit as the person who clicked, and shows the page again."""
    await call.authorize(Object(type="page", id="reports"))
    form = {name: told[0] for name, told in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
    scope = {
        name: form[name].strip() for name in ("decision_id", "first_day", "last_day") if form.get(name, "").strip()
    }
    sent = msgspec.json.encode({"type": form.get("type", ""), "scope": scope})
    answer: Response = await call.resources.owners.pass_on(
        call, "audit", "/v1/reports", sent, {"content-type": "application/json"}
    )
    if answer.status_code >= 400:
        raise OwnerSays("audit", httpx.Response(answer.status_code, content=bytes(answer.body)))
    back = RedirectResponse("/reports", status_code=303, headers={"cache-control": "no-store"})
    back.raw_headers.extend(one for one in answer.raw_headers if one[0] == b"set-cookie")
    return back


@router.get("/{report_id}/{form}", responses=problems(OwnerAway))
async def download(
    report_id: str,
    form: Literal["json", "csv", "en.pdf", "ru.pdf", "envelope"],
    call: Annotated[Call, governed("console.page.chronicle")],
) -> Response:
    """The report's bytes as audit keeps them; audit records who read them."""
    await call.authorize(Object(type="page", id="reports"))
    path = f"/v1/reports/{quote(report_id, safe='')}"
    if form == "envelope":
        answer = await call.resources.owners.file(call, "audit", f"{path}/envelope")
        name, kind = f"letopis-{report_id}.envelope.json", "application/json"
    else:
        answer = await call.resources.owners.file(call, "audit", path, **FORMS[form])
        name, kind = f"letopis-{report_id}.{form}", answer.headers["content-type"]
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(answer.content, media_type=kind, headers=headers)
