"""The time machine's pages. Audit is asked as the person who looks, and records each look."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway
from letopis.console.page.rendering import show

router = APIRouter(tags=["past"])
QUESTIONS = {"models": "What was in production", "rights": "Who could do what", "reads": "Who saw this column, and why"}


@router.get("/decisions/{decision_id}/history", responses=problems(OwnerAway))
async def history(
    decision_id: str, request: Request, call: Annotated[Call, governed("console.page.decision")]
) -> Response:
    """What was known the second a decision was made, and what came since."""
    await call.authorize(Object(type="decision", id=decision_id))
    if not call.purpose:
        return _ask_purpose(request)
    path = f"/v1/decisions/{quote(decision_id, safe='')}/history"
    told = await call.resources.owners.document(call, "audit", path)
    return show(call, "history.html", told=told, decision_id=decision_id, proved=_proved(told))


@router.get("/as-of", responses=problems(OwnerAway))
async def as_of(
    request: Request,
    call: Annotated[Call, governed("console.page.read")],
    question: Literal["models", "rights", "reads"] = "models",
    at: str = "",
    since: str = "",
    about: str = "",
    source: str = "",
) -> Response:
    """A form, and what audit answers it."""
    await call.authorize(Object(type="page", id="as-of"))
    if not call.purpose:
        return _ask_purpose(request)
    until = _moment(at) or call.now()
    begin = _moment(since) or until - timedelta(days=31)
    asked = {"question": question, "at": f"{until:%Y-%m-%dT%H:%M}", "since": f"{begin:%Y-%m-%dT%H:%M}"}
    asked |= {"about": about.strip(), "source": source.strip()}
    told: Any = None
    if at:
        query = _query(question, asked, until, begin)
        if query is not None:
            told = await call.resources.owners.document(call, "audit", f"/v1/as-of/{question}", **query)
    return show(call, "as_of.html", told=told, asked=asked, questions=QUESTIONS)


def _query(question: str, asked: dict[str, str], until: datetime, begin: datetime) -> dict[str, str] | None:
    about = asked["about"]
    match question:
        case "models":
            return {"at": until.isoformat()} | ({"model_id": about} if about else {})
        case "rights":
            return {"at": until.isoformat()} | ({"login": about} if about else {})
        case _:
            span = {"since": begin.isoformat(), "until": until.isoformat(), "column": about}
            return span | ({"source": asked["source"]} if asked["source"] else {}) if about else None


def _proved(told: dict[str, Any]) -> set[str]:
    return {one["place"] for one in told["proofs"]}


def _moment(text: str) -> datetime | None:
    """A moment as the browser's field spells it, in UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _ask_purpose(request: Request) -> Response:
    """Audit answers only for a stated purpose; the question comes before anything is asked of it."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/purpose?next={quote(here, safe='')}", status_code=303)
