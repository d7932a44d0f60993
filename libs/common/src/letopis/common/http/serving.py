"""Running a service process: the API and what works beside it in one event loop, ended in order."""

import asyncio
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI

from letopis.common import observability
from letopis.common.mutual_tls import server_options
from letopis.common.running import end
from letopis.common.settings import ServiceSettings

# Supervisors give a process 5 s; what is still open after three is cut.
GRACE = 3


class Running(Protocol):
    """What works beside the API: relays, projections, reactions."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    def health(self) -> dict[str, Any]:
        """The state of each part by name, for /readyz."""
        ...


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: it would raise the signal again before the parts have ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(
    name: str,
    app: FastAPI,
    settings: ServiceSettings,
    *,
    api: bool = True,
    parts: Callable[[FastAPI], Running] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT: `all` is the API with parts, `api` without parts, `worker` without the API.

    `parts` is called once the application's resources are open (`app.state.resources`).
    """
    import uvloop

    observability.configure(name)
    uvloop.run(serve(app, settings, api=api, parts=parts))


async def serve(
    app: FastAPI,
    settings: ServiceSettings,
    *,
    api: bool = True,
    parts: Callable[[FastAPI], Running] | None = None,
) -> None:
    """First no new requests, then the open ones, then the parts, then what they all used."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(app.router.lifespan_context(app))
        working: list[asyncio.Task[None]] = []
        if parts is not None:
            running = app.state.parts = parts(app)
            working.append(_beside(running.run(), stop))
            opened.push_async_callback(end, working[-1])
        if api:
            await _listen(app, settings, stop)
        else:
            await stop.wait()
        for task in working:
            if task.done() and not task.cancelled():
                # Parts restart what fails; if the whole of them ended, the process fails for all to see.
                task.result()


async def _listen(app: FastAPI, settings: ServiceSettings, stop: asyncio.Event) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        **server_options(settings),
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    server = _Server(config)

    async def stopped() -> None:
        await stop.wait()
        server.should_exit = True

    waiting = asyncio.create_task(stopped())
    try:
        await server.serve()
    finally:
        await end(waiting)


def _beside(work: Any, stop: asyncio.Event) -> asyncio.Task[None]:
    task: asyncio.Task[None] = asyncio.ensure_future(work)
    task.add_done_callback(lambda _: stop.set())
    return task
