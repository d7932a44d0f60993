"""Style and script, served from the package."""

from importlib.resources import files

from fastapi import APIRouter, Response

from letopis.common.errors import NotFound
from letopis.common.http import problems, public

router = APIRouter(tags=["static"])

TYPES = {
    "letopis.css": "text/css; charset=utf-8",
    "sign.js": "text/javascript; charset=utf-8",
    "prove.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@router.get("/static/{name}", responses=problems(NotFound))
@public
async def asset(name: str) -> Response:
    """One of the listed files."""
    if name not in TYPES:
        raise NotFound(f"there is no file {name}")
    content = files("letopis.console.page").joinpath("static", name).read_bytes()
    return Response(content, media_type=TYPES[name], headers={"cache-control": "max-age=300"})
