"""One way to make a service's web application, so that none forgets the guard."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from letopis.common.http import health
from letopis.common.http.access import AccessLog
from letopis.common.http.contracts import Documents, contract_doors
from letopis.common.http.governing import AnsweredBefore
from letopis.common.http.guard import RequestGuard
from letopis.common.http.openapi import operation_id
from letopis.common.http.problems import install
from letopis.common.http.resources import Resources
from letopis.common.http.routing import table
from letopis.common.observability import Metrics
from letopis.common.serialization import Catalogue
from letopis.common.settings import ServiceSettings


def create_service(
    title: str,
    name: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    resources: Callable[[], AbstractAsyncContextManager[Resources]],
    *,
    metrics: Metrics | None = None,
    facts: Mapping[str, Catalogue] | None = None,
    telemetry: Collection[str] = (),
) -> FastAPI:
    """The application; RouteWithoutAction if a route is neither governed nor listed as public.

    `facts` are what its ledgers publish beside what every ledger does, `telemetry` ledgers in segments: its AsyncAPI.
    `resources` is entered when the application starts and stands in `app.state.resources`. `app.state.metrics` is
    the service's registry, `app.state.parts` what the process runs beside the API, if it runs anything.
    """
    metrics = metrics or Metrics(name)
    silent = metrics.counter("policy_unanswered", "Questions that policy gave no answer to", ("rule",))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with resources() as opened:
            app.state.resources = opened
            opened.policy.count_by(lambda rule: silent.labels(rule).inc())
            app.state.checks = _checks(opened)
            yield

    app = FastAPI(
        title=title,
        lifespan=life,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.parts = None
    app.state.documents = Documents(service=name, facts=facts or {}, telemetry=telemetry)
    for router in (*routers, contract_doors(name), health.router):
        app.include_router(router)
    install(app)
    app.add_exception_handler(AnsweredBefore, _answered_before)
    app.state.routes = table(app, name)
    # Added last stands first: the log sees what the guard turns away.
    app.add_middleware(RequestGuard, table=app.state.routes)
    app.add_middleware(AccessLog, metrics=app.state.metrics)
    return app


def _checks(resources: Resources) -> health.Checks:
    async def database() -> bool:
        return await resources.store.head(resources.desk.ledger) >= 0

    return {"database": database, "policy": resources.policy.healthy}


async def _answered_before(_: Request, answer: Any) -> Response:
    response: Response = answer.response
    return response
