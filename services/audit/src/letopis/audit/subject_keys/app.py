"""The key store's doors: bodies in JSON, callers by their own secrets, nothing logged but how many."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec import Meta

from letopis.audit.subject_keys.callers import RIGHTS, Callers
from letopis.audit.subject_keys.master import Master
from letopis.audit.subject_keys.settings import SubjectKeysSettings
from letopis.audit.subject_keys.vault import KeyVault
from letopis.common.database import open_engine
from letopis.common.errors import LetopisError

LARGEST = 1 << 20
Id = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Subject = Annotated[str, Meta(max_length=400)]
_log = logging.getLogger(__name__)


class Issue(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1, le=5000)]
    subject: Subject = ""


class Fetch(msgspec.Struct, forbid_unknown_fields=True):
    ids: Annotated[list[Id], Meta(max_length=5000)]


class Feed(msgspec.Struct, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0)]


class Assign(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[Id, Subject]


class Find(msgspec.Struct, forbid_unknown_fields=True):
    subject: Subject


class Destroy(msgspec.Struct, forbid_unknown_fields=True):
    subject: Annotated[str, Meta(min_length=1, max_length=400)]
    erasure_id: Annotated[str, Meta(min_length=1, max_length=64)]


class Found(msgspec.Struct):
    living: int
    destroyed: int


def create_app(settings: SubjectKeysSettings) -> FastAPI:
    """The application; every route but health asks for a secret that has the right."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        engine = open_engine(settings.database_url, name="letopis-subject-keys")
        try:
            master = Master(settings.state_dir / "master.key")
            app.state.vault = KeyVault(engine, master, settings.state_dir / "destroyed")
            await app.state.vault.open()
            app.state.callers = Callers(settings.callers_file)
            yield
        finally:
            await engine.dispose()

    app = FastAPI(lifespan=life, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.parts = None
    for path, right, kind, act in (
        ("/v1/keys", "issue", Issue, _issue),
        ("/v1/keys/fetch", "fetch", Fetch, _fetch),
        ("/v1/destroyed", "destroyed", Feed, _destroyed),
        ("/v1/subjects/keys", "assign", Assign, _assign),
        ("/v1/subjects/find", "find", Find, _find),
        ("/v1/subjects/destroy", "destroy", Destroy, _destroy),
    ):
        app.add_route(path, _door(right, kind, act), methods=["POST"])
    for path in ("/healthz", "/readyz"):
        app.add_route(path, _health, methods=["GET"])
    return app


Act = Callable[[KeyVault, str, Any], Awaitable[Any]]


def _door(right: str, kind: type, act: Act) -> Callable[[Request], Awaitable[Response]]:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)

    async def answer(request: Request) -> Response:
        service = request.app.state.callers.who(request.headers.get("authorization", ""))
        if not service:
            return Response(status_code=401)
        if right not in RIGHTS[service]:
            _log.warning("%s may not %s", service, right)
            return Response(status_code=403)
        if int(request.headers.get("content-length") or LARGEST + 1) > LARGEST:
            return Response(status_code=413)
        try:
            told = await act(request.app.state.vault, service, decoder.decode(await request.body()))
        except msgspec.MsgspecError:
            return Response(status_code=422)
        except LetopisError as error:
            _log.warning("%s cannot be done: %s", right, error.detail)
            return Response(status_code=error.status)
        return Response(msgspec.json.encode(told), media_type="application/json")

    return answer


async def _issue(vault: KeyVault, service: str, asked: Issue) -> Any:
    return await vault.issue(service, asked.count, asked.subject)


async def _fetch(vault: KeyVault, service: str, asked: Fetch) -> Any:
    return await vault.fetch(service, asked.ids)


async def _destroyed(vault: KeyVault, _: str, asked: Feed) -> Any:
    return await vault.destroyed(asked.after)


async def _assign(vault: KeyVault, _: str, asked: Assign) -> Any:
    return await vault.assign(asked.keys)


async def _find(vault: KeyVault, _: str, asked: Find) -> Any:
    living, destroyed = await vault.find(asked.subject)
    return Found(living, destroyed)


async def _destroy(vault: KeyVault, _: str, asked: Destroy) -> Any:
    return await vault.destroy(asked.subject, asked.erasure_id)


async def _health(request: Request) -> Response:
    try:
        await request.app.state.vault.destroyed(0)
    except LetopisError:
        return Response(status_code=503)
    return Response(b'{"state":"ready"}', media_type="application/json")
