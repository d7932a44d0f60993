"""Walks every route of a service without a token, as a stranger would."""

import re
from typing import Any

import httpx
from fastapi import FastAPI

_PARAMETER = re.compile(r"\{[^}]+\}")


async def answers_to_strangers(app: FastAPI) -> dict[str, int]:
    """`METHOD /path` -> status for every governed route, asked without a token and with one that is none."""
    found: dict[str, int] = {}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for rule in app.state.routes.rules:
            if rule.public:
                continue
            path = _PARAMETER.sub("x", rule.path)
            for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
                answer = await client.request(rule.method, path, headers=headers, content=b"{")
                status = answer.status_code
                name = f"{rule.method} {rule.path}"
                found[name] = status if found.get(name, 401) == 401 else found[name]
    return found


async def assert_guarded(app: FastAPI, *, public: set[str]) -> None:
    """Every route answers 401 without a token, and the public ones are exactly these (`GET /healthz` ...)."""
    told: dict[str, Any] = {name: status for name, status in (await answers_to_strangers(app)).items() if status != 401}
    if told:
        raise AssertionError(f"routes that do not answer 401 to strangers: {told}")
    open_to_all = set(app.state.routes.public)
    if open_to_all != public:
        raise AssertionError(f"public routes are {sorted(open_to_all)}, expected {sorted(public)}")
