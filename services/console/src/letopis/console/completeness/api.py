"""The page of completeness: the last heartbeats, and who should have spoken and has not."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from letopis.common.errors import LetopisError, Unavailable
from letopis.common.http import Call, Object, governed
from letopis.console.page.rendering import show

router = APIRouter(tags=["completeness"])
SHOWN = 30


@router.get("/completeness")
async def completeness(call: Annotated[Call, governed("console.page.read")]) -> Response:
    """Audit is asked as the person who looks; if it is away or refuses, the page says so."""
    await call.authorize(Object(type="page", id="completeness"))
    beats: list[Any] = []
    voices: list[Any] = []
    silent = ""
    try:
        beats = await call.resources.owners.document(call, "audit", "/v1/heartbeats", limit=SHOWN)
        voices = await call.resources.owners.document(call, "audit", "/v1/voices")
    except Unavailable as error:
        silent = error.detail
    except LetopisError as error:
        silent = f"{error.title}. {error.detail}"
    return show(
        call,
        "completeness.html",
        beats=beats,
        voices=voices,
        silent=silent,
        audit_url=call.resources.owners.settings.url_of("audit"),
    )
