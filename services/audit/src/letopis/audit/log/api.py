"""The log as any transparency-log tool reads it (C2SP tlog-tiles), and how far each ledger is copied and sealed."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from letopis.audit.checkpoint.succession import succession_notes
from letopis.audit.log.sealed import SealedLog
from letopis.audit.log.tile import WIDTH, BadTile, Tile, parse_index
from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, media, problems, public
from letopis.common.ledgers import LEDGERS

router = APIRouter(tags=["log"])
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class LogOut(BaseModel):
    """`copied` and `sealed` are positions; the root is that of the published checkpoint, in hex."""

    ledger: str
    origin: str
    copied: int
    sealed: int
    root: str
    key: str


@router.get("/log/{ledger}/checkpoint", response_class=media("text/plain"), responses=problems(NotFound))
@public
async def checkpoint(ledger: str, request: Request) -> Response:
    """The signed tree head."""
    note = await asyncio.to_thread(_log(request).note, ledger)
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/log/{ledger}/witnessed", response_class=media("text/plain"), responses=problems(NotFound))
@public
async def witnessed(ledger: str, request: Request) -> Response:
    """The last tree head that enough witnesses have signed too, with their cosignatures."""
    note = await asyncio.to_thread(_log(request).witnessed, ledger)
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/log/{ledger}/succession", response_class=media("text/plain"), responses=problems(NotFound))
@public
async def succession(ledger: str, request: Request) -> Response:
    """The logs of this ledger that were closed after a loss, each with what succeeded it, signed in both names."""
    if ledger not in LEDGERS:
        raise NotFound(f"there is no ledger {ledger}")
    log, locks = _log(request), request.app.state.resources.locks
    told = await asyncio.to_thread(succession_notes, locks, log.signers[ledger], ledger)
    return Response("\n".join(told), media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/log/{ledger}/key", response_class=media("text/plain"), responses=problems(NotFound))
@public
async def key(ledger: str, request: Request) -> Response:
    """The verifier key; compare it with the one you were given in another way."""
    if ledger not in LEDGERS:
        raise NotFound(f"there is no ledger {ledger}")
    signer = _log(request).signer(ledger)
    return Response(f"{signer.verifier().text()}\n", media_type="text/plain; charset=utf-8")


@router.get(
    "/log/{ledger}/tile/entries/{path:path}",
    response_class=media("application/octet-stream"),
    responses=problems(NotFound),
)
async def entries(ledger: str, path: str, call: Annotated[Call, governed("audit.log.read")]) -> Response:
    """An entry bundle: leaves carry stream names, so it is not public."""
    await call.authorize(Object(type="ledger", id=ledger))
    tile = _tile(0, path)
    data = await asyncio.to_thread(lambda: call.resources.log.tile(ledger, tile, entries=True))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "private"})


@router.get(
    "/log/{ledger}/tile/{level}/{path:path}",
    response_class=media("application/octet-stream"),
    responses=problems(NotFound),
)
@public
async def tile(ledger: str, level: str, path: str, request: Request) -> Response:
    """A tile of hashes."""
    if not (level.isascii() and level.isdigit() and str(int(level)) == level and int(level) <= 63):
        raise NotFound(f"there is no tile level {level}")
    place = _tile(int(level), path)
    data = await asyncio.to_thread(_log(request).tile, ledger, place)
    return Response(data, media_type="application/octet-stream", headers=FOREVER)


@router.get("/v1/logs")
async def logs(call: Annotated[Call, governed("audit.log.list")]) -> list[LogOut]:
    """Every ledger: how far it is copied and sealed."""
    await call.authorize(Object(type="ledger", id="*"))
    log: SealedLog = call.resources.log
    told = []
    for ledger in LEDGERS:
        copied = await call.resources.copies.head(ledger)
        try:
            head = await asyncio.to_thread(log.head, ledger)
        except NotFound:
            head = None
        signer = log.signer(ledger)
        told.append(
            LogOut(
                ledger=ledger,
                origin=signer.name,
                copied=copied,
                sealed=head.size if head else 0,
                root=head.root.hex() if head else "",
                key=signer.verifier().text(),
            )
        )
    return told


def _log(request: Request) -> SealedLog:
    log: SealedLog = request.app.state.resources.log
    return log


def _tile(level: int, path: str) -> Tile:
    try:
        index, width = parse_index(path)
    except BadTile as bad:
        raise NotFound(str(bad)) from bad
    # A full tile has no other name than its index alone.
    if width == WIDTH and ".p/" in path:
        raise NotFound(f"{path!r} names no tile")
    return Tile(level, index, width)
