"""A running features service and the world around it, for tests here and for processes that they kill."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import FastAPI

from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta, Record, encode_meta
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News
from letopis.common.handling import new_fact
from letopis.common.identity.claims import Claims, TokenRefused
from letopis.common.projecting import Projector
from letopis.common.testing.sealing import sealer
from letopis.common.testing.settling import SharedLedger, settle
from letopis.features.app import FeaturesResources, create_app
from letopis.features.contract import ACCESS, CONTRACT
from letopis.features.settings import FeaturesSettings
from letopis.features.worker import VIEWS
from letopis.registry.contract import PRINCIPAL, PrincipalRegistered, RoleGranted

PEOPLE = {
    "anna": "data_scientist",
    "boris": "data_scientist",
    "oleg": "data_engineer",
    "pavel": "security_officer",
    "irina": "auditor",
    "bank-app": "consumer",
}
PURPOSE = "credit scoring"
MONTHS = [date(2005, 4 + month, 1) for month in range(6)]


@dataclass
class NamedTokens:
    """Knows tokens by name: `anna` is Anna's."""

    async def verify(self, token: str) -> Claims:
        if token not in PEOPLE:
            raise TokenRefused
        now = datetime.now(UTC)
        return Claims(login=token, issuer="test", issued_at=now, expires_at=now + timedelta(hours=1))


SEALER = sealer("registry")


class Registry:
    """The registry as features meets it: a ledger of facts about people."""

    def __init__(self) -> None:
        self.store = MemoryEventStore(SystemClock())

    async def tell(self, *facts: object) -> None:
        meta = encode_meta(Meta(actor=Actor(service="registry")))
        seq = await self.store.source_position("registry", UUID(int=7)) + 1
        await self.store.append_batch(
            "registry", UUID(int=7), seq, [new_fact(PRINCIPAL, fact, meta, SEALER) for fact in facts]
        )


async def enrolled() -> Registry:
    """A registry that knows everybody; it tells of them at the same positions each time."""
    registry = Registry()
    for login, role in PEOPLE.items():
        await registry.tell(
            PrincipalRegistered(
                login=login, person=login.title(), name=login, kind="human", organisation="bank", until=None
            ),
            RoleGranted(login=login, role=role),
        )
    return registry


@dataclass
class Shop:
    """A running features service and the world around it."""

    app: FastAPI
    client: httpx.AsyncClient
    registry: Registry
    resources: FeaturesResources
    projectors: Sequence[Projector]
    ledgers: Sequence[SharedLedger]
    root: Path

    async def settle(self) -> None:
        """Every view has everything."""
        await settle(self.projectors, self.ledgers)

    async def ask(self, method: str, path: str, by: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Letopis-Purpose": options.pop("purpose", PURPOSE)}
        return await self.client.request(
            method, path, headers=headers | options.pop("headers", {}), timeout=60, **options
        )

    async def post(self, path: str, by: str, body: Any, **options: Any) -> httpx.Response:
        return await self.ask("POST", path, by, json=body, **options)

    async def get(self, path: str, by: str, **options: Any) -> httpx.Response:
        await self.settle()
        return await self.ask("GET", path, by, **options)

    async def done(self, path: str, by: str, body: Any, **options: Any) -> dict[str, Any]:
        """The receipt of a command that must succeed; the views know of it."""
        answer = await self.post(path, by, body, **options)
        assert answer.status_code == 201, answer.text
        await self.settle()
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def facts(self, ledger: str, *kinds: str) -> list[tuple[Record, Any]]:
        """Recorded facts, of some stored names."""
        catalogue = {"features": CONTRACT, "access": ACCESS}[ledger]
        return [
            (record, catalogue.decode(record.type, record.schema_version, record.data))
            for record in await self.resources.store.read(ledger, 0, 100_000)
            if not kinds or record.type in kinds
        ]

    def write(self, name: str, table: pa.Table) -> str:
        self.root.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self.root / name)
        return name

    async def source(
        self, source_id: str, table: pa.Table, classes: dict[str, tuple[str, str]], zone: str = "etl_copy"
    ) -> None:
        """A source that is registered, loaded and classified."""
        await self.done("/v1/sources", "oleg", {"source_id": source_id, "name": source_id, "zone": zone})
        name = self.write(f"{source_id}.parquet", table)
        await self.done(f"/v1/sources/{source_id}/extracts", "oleg", {"files": [name], "job": "nightly"})
        body = {"classes": {column: {"cls": cls, "kind": kind} for column, (cls, kind) in classes.items()}}
        await self.done(f"/v1/sources/{source_id}/classification", "pavel", body)

    async def grant(self, grantee: str, columns: dict[str, list[str]], **changed: Any) -> str:
        body = {
            "grantee": grantee,
            "purpose": PURPOSE,
            "project": "scorecard 2005",
            "columns": columns,
            "not_after": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        } | changed
        return (await self.done("/v1/grants", "pavel", body))["id"]


def panel(accounts: int = 20) -> pa.Table:
    """Six months of accounts; a month's figures are known when the month is over."""
    rows = [(account, month) for month in range(6) for account in range(1, accounts + 1)]
    return pa.table(
        {
            "account_id": pa.array([account for account, _ in rows], pa.int32()),
            "month": pa.array([MONTHS[month] for _, month in rows], pa.date32()),
            "status": pa.array([(account * 7 + month) % 5 - 1 for account, month in rows], pa.int16()),
            "bill": pa.array([float(account * 100 + month) for account, month in rows], pa.float64()),
            "paid": pa.array([None if account % 9 == 0 else float(month) for account, month in rows], pa.float64()),
            "label": pa.array([(account + month) % 3 == 0 for account, month in rows], pa.bool_()),
        }
    )


def people(accounts: int = 20) -> pa.Table:
    return pa.table(
        {
            "account_id": pa.array(range(1, accounts + 1), pa.int32()),
            "full_name": [f"Anna Petrova{'bcdefghijklmnopqrstuvwxyz'[n % 25]}" for n in range(accounts)],
            "email": [f"client{n}@example.com" for n in range(accounts)],
            "phone": [f"+7 916 000-{n // 100:02d}-{n % 100:02d}" for n in range(accounts)],
            "born": [date(1960 + n % 40, 1, 1) for n in range(accounts)],
            "mystery": list(range(accounts)),
        }
    )


PANEL_CLASSES = {
    "account_id": ("internal", "identifier"),
    "month": ("internal", ""),
    "status": ("confidential", ""),
    "bill": ("confidential", ""),
    "paid": ("confidential", ""),
    "label": ("confidential", ""),
}
PEOPLE_CLASSES = {
    "account_id": ("internal", "identifier"),
    "full_name": ("personal", "full_name"),
    "email": ("personal", "email"),
    "phone": ("personal", "phone"),
    "born": ("personal", "birth_date"),
}
VIEW_SQL = """
SELECT account_id, month AS happened, month + INTERVAL 1 MONTH AS known, status, bill,
       avg(bill) OVER (PARTITION BY account_id ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean_bill
FROM panel
"""


@asynccontextmanager
async def opened(settings: FeaturesSettings, registry: Registry) -> AsyncIterator[Shop]:
    news = News()
    app = create_app(settings, news.heard)
    transport = httpx.ASGITransport(app=app)
    engine = open_engine(settings.projector_url)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://f") as client:
        app.state.resources = dataclasses.replace(app.state.resources, verifier=NamedTokens())
        resources: FeaturesResources = app.state.resources
        sources = {
            "registry": SharedLedger(registry.store, "registry", News()),
            "features": SharedLedger(resources.store, "features", news),
            "access": SharedLedger(resources.store, "access", news),
        }
        projectors = [Projector(view, {name: sources[name] for name in view.sources}, engine) for view in VIEWS]
        shop = Shop(app, client, registry, resources, projectors, [*sources.values()], settings.sources)
        try:
            await shop.settle()
            yield shop
        finally:
            await engine.dispose()


async def stock(settings: FeaturesSettings) -> None:
    """A panel and people, a view and a bundle, and a grant to Anna."""
    async with opened(settings, await enrolled()) as shop:
        await shop.source("panel", panel(), PANEL_CLASSES)
        await shop.source("people", people(), PEOPLE_CLASSES)
        columns = {"panel": ["status", "bill", "paid", "label"], "people": ["full_name", "email", "phone", "born"]}
        await shop.grant("Anna", columns)
        await shop.done("/v1/entities", "anna", {"entity": "account", "key": "account_id"})
        view = {"name": "behaviour", "entity": "account", "event_time": "happened", "known_time": "known"}
        await shop.done("/v1/views", "anna", view | {"sql": VIEW_SQL})
        await shop.done("/v1/bundles", "anna", {"name": "credit", "features": [{"view_id": "behaviour.1"}]})
