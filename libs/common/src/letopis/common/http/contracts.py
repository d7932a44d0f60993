"""The doors where a service tells what it promises: OpenAPI of its doors, AsyncAPI of its news."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from letopis.common.contracts.asyncapi import asyncapi
from letopis.common.http.calling import Call
from letopis.common.http.denial import denials
from letopis.common.http.governing import governed
from letopis.common.http.openapi import openapi
from letopis.common.parked.events import parked_facts
from letopis.common.policy.verdict import Object
from letopis.common.replaying.events import replay_facts
from letopis.common.serialization import Catalogue


@dataclass(slots=True, kw_only=True)
class Documents:
    """A service's documents, made when first asked for; `facts` by ledger, with those that common adds to each."""

    service: str
    facts: Mapping[str, Catalogue]
    telemetry: Collection[str]
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    def openapi(self, app: FastAPI) -> dict[str, Any]:
        if "openapi" not in self._kept:
            self._kept["openapi"] = openapi(app, app.state.routes)
        return self._kept["openapi"]

    def asyncapi(self, app: FastAPI) -> dict[str, Any]:
        if "asyncapi" not in self._kept:
            published = {ledger: catalogue | denials(ledger) for ledger, catalogue in self.facts.items()}
            # Those of people's acts stand in the service's own ledger, beside its commands.
            if self.service in published:
                published[self.service] |= parked_facts(self.service) | replay_facts(self.service)
            self._kept["asyncapi"] = asyncapi(app.title, self.service, published, self.telemetry)
        return self._kept["asyncapi"]


def contract_doors(service: str) -> APIRouter:
    """`GET /openapi.json` and `GET /asyncapi.json` under action `<service>.contract.read`.

    They need a token like every door that architecture does not list as public: a map of a bank's insides is not
    for strangers.
    """
    router = APIRouter(tags=["contract"])

    @router.get("/openapi.json", response_model=dict[str, Any])
    async def read_openapi(request: Request, call: Annotated[Call, governed(f"{service}.contract.read")]) -> Any:
        await call.authorize(Object(type="contract", id="openapi"))
        return JSONResponse(request.app.state.documents.openapi(request.app))

    @router.get("/asyncapi.json", response_model=dict[str, Any])
    async def read_asyncapi(request: Request, call: Annotated[Call, governed(f"{service}.contract.read")]) -> Any:
        await call.authorize(Object(type="contract", id="asyncapi"))
        return JSONResponse(request.app.state.documents.asyncapi(request.app))

    return router
