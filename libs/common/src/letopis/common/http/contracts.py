"""The doors where a service tells what it promises: OpenAPI of its doors, AsyncAPI of its news."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from letopis.common.contracts.asyncapi import asyncapi
from letopis.common.http.calling import Call
from letopis.common.http.denial import denials
from letopis.common.http.governing import governed
from letopis.common.http.openapi import openapi
from letopis.common.policy.verdict import Object
from letopis.common.serialization import Catalogue


def published(facts: Mapping[str, Catalogue]) -> dict[str, Catalogue]:
    """A service's own facts by ledger, with those that common adds to every ledger."""
    return {ledger: catalogue | denials(ledger) for ledger, catalogue in facts.items()}


def contract_doors(service: str, title: str, facts: Mapping[str, Catalogue], telemetry: Collection[str]) -> APIRouter:
    """`GET /openapi.json` and `GET /asyncapi.json` under action `<service>.contract.read`.

    They need a token like every door that architecture does not list as public: a map of a bank's insides is not
    for strangers.
    """
    router = APIRouter(tags=["contract"])
    kept: dict[str, dict[str, Any]] = {}

    @router.get("/openapi.json")
    async def read_openapi(
        request: Request, call: Annotated[Call, governed(f"{service}.contract.read")]
    ) -> JSONResponse:
        await call.authorize(Object(type="contract", id="openapi"))
        if "openapi" not in kept:
            kept["openapi"] = openapi(request.app, request.app.state.routes)
        return JSONResponse(kept["openapi"])

    @router.get("/asyncapi.json")
    async def read_asyncapi(call: Annotated[Call, governed(f"{service}.contract.read")]) -> JSONResponse:
        await call.authorize(Object(type="contract", id="asyncapi"))
        if "asyncapi" not in kept:
            kept["asyncapi"] = asyncapi(title, service, published(facts), telemetry)
        return JSONResponse(kept["asyncapi"])

    return router
