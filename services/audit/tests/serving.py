"""The chronicle's application over real parts, with names for tokens, for tests to ask it questions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI

from letopis.audit.app import AuditResources, opened, routers
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.log.copying import Copier
from letopis.audit.settings import AuditSettings
from letopis.common.http import create_service
from letopis.common.identity.caller import Principal
from letopis.common.identity.claims import Claims, TokenRefused

NOW = datetime(2026, 11, 21, 6, 55, tzinfo=UTC)
ROLES = {
    "irina": "auditor",
    "rita": "regulator",
    "pavel": "security_officer",
    "anna": "data_scientist",
    "olga": "operator",
    "vera": "risk_officer",
}


class Verifier:
    """Knows tokens by name: `irina` is Irina."""

    async def verify(self, token: str) -> Claims:
        if token not in ROLES:
            raise TokenRefused
        return Claims(
            login=token, person=token, issuer="http://issuer", issued_at=NOW, expires_at=NOW + timedelta(hours=1)
        )


class Directory:
    async def find(self, login: str) -> Principal | None:
        return Principal(login=login, person=login, name=login, kind="human", roles=frozenset({ROLES[login]}), keys={})


@dataclass(kw_only=True)
class Chronicle:
    """The application, a client of it, and hands to copy and seal with."""

    app: FastAPI
    client: httpx.AsyncClient
    resources: AuditResources
    headers: dict[str, str] = field(default_factory=lambda: {"Letopis-Purpose": "supervision"})

    async def get(self, path: str, *, by: str = "irina", **query: Any) -> httpx.Response:
        return await self.client.get(path, params=query, headers=self._as(by))

    async def post(self, path: str, body: Any, *, by: str = "irina", key: str = "") -> httpx.Response:
        more = {"Idempotency-Key": key} if key else {}
        return await self.client.post(path, json=body, headers=self._as(by) | more)

    async def seal(self, ledger: str, records: Any = ()) -> None:
        """Copy records and seal them; without records, what is copied already."""
        if records:
            await Copier(ledger, self.resources.copies).take(records, {})
        sealer = self.sealer(ledger)
        while await sealer.seal():
            pass

    def sealer(self, ledger: str) -> Sealer:
        return Sealer(
            ledger=ledger,
            copies=self.resources.copies,
            shelf=self.resources.log.shelf,
            locks=self.resources.locks,
            signer=self.resources.log.signers[ledger],
        )

    async def facts(self) -> list[Any]:
        """Every fact of the audit ledger: (type, data as text, actor's login)."""
        return await self.resources.store.read("audit", 0, 1000)

    def _as(self, by: str) -> dict[str, str]:
        return self.headers | {"Authorization": f"Bearer {by}"}


@cache
def application() -> FastAPI:
    """Its doors are built once; what is behind them is opened for each chronicle, by `app.state.settings`."""

    @asynccontextmanager
    async def resources() -> AsyncIterator[AuditResources]:
        async with opened(app.state.settings) as real:
            yield AuditResources(**vars(real) | {"verifier": Verifier(), "directory": Directory()})

    app = create_service("Letopis audit", "audit", AuditSettings.model_construct(), routers(), resources)
    return app


@asynccontextmanager
async def open_chronicle(settings: AuditSettings) -> AsyncIterator[Chronicle]:
    app = application()
    app.state.settings = settings
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://audit") as client,
    ):
        yield Chronicle(app=app, client=client, resources=app.state.resources)
