"""Inference on a real PostgreSQL and a real policy engine, beside a registry whose facts a test tells."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta, encode_meta
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.handling import new_fact
from letopis.common.identity.claims import Claims, TokenRefused
from letopis.common.objects import ObjectStore
from letopis.common.projecting import Projector, Told, View
from letopis.common.running import end
from letopis.common.sealing import OpenedLedger
from letopis.common.serialization import canonical
from letopis.common.testing.sealing import sealer
from letopis.common.testing.settling import SharedLedger, live_views, settle
from letopis.inference.app import Directory, InferenceResources, create_app
from letopis.inference.contract import DECISIONS
from letopis.inference.decision import shipper
from letopis.inference.decision.views import DecisionIndex
from letopis.inference.deployment.reactions import FollowProduction
from letopis.inference.deployment.views import DeploymentSummary, KnownVersion
from letopis.inference.job.turn import JobTurn
from letopis.inference.job.views import JobSummary
from letopis.inference.settings import InferenceSettings
from letopis.registry.contract import (
    CONTRACT,
    PrincipalEnded,
    PrincipalRegistered,
    ProductionEntered,
    ProductionRolledBack,
    PromotionCompleted,
    RoleGranted,
    VersionRegistered,
)
from letopis.registry.version.signing import Signer

NAMES = ("limit_bal", "age", "pay_0", "bill_amt", "pay_amt")
PEOPLE = {
    "olga": "operator",
    "irina": "auditor",
    "bank-app": "consumer",
    "call-centre": "consumer",
    "anna": "data_scientist",
}
VIEWS: tuple[type[View], ...] = (KnownVersion, Directory, DeploymentSummary, JobSummary, DecisionIndex)


@cache
def sample(rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Clients and whether they defaulted; some values are missing."""
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(rows, len(NAMES))) * [100_000, 10, 2, 50_000, 5_000] + [150_000, 40, 0, 60_000, 4_000]
    label = (inputs[:, 2] + rng.normal(size=rows) > 1).astype(int)
    return inputs, label


@cache
def xgboost_model() -> bytes:
    """A booster with missing values in its training data, as JSON."""
    import xgboost

    inputs, label = sample()
    holes = np.where(np.random.default_rng(8).random(inputs.shape) < 0.1, np.nan, inputs)
    matrix = xgboost.DMatrix(holes, label=label, feature_names=list(NAMES))
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1}, matrix, 40)
    return bytes(booster.save_raw("json"))


@cache
def sklearn_model() -> bytes:
    """A scaled logistic regression, as skops."""
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, label = sample()
    data: bytes = skops.io.dumps(make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, label))
    return data


@dataclass
class NamedTokens:
    """Knows tokens by name: `olga` is Olga's."""

    async def verify(self, token: str) -> Claims:
        if token not in PEOPLE:
            raise TokenRefused
        now = datetime.now(UTC)
        return Claims(login=token, issuer="test", issued_at=now, expires_at=now + timedelta(hours=1))


@dataclass
class Registry:
    """The registry as inference meets it: a ledger of facts, a key, and objects."""

    objects: ObjectStore
    signer: Signer = field(default_factory=lambda: Signer(Ed25519PrivateKey.generate()))
    store: MemoryEventStore = field(default_factory=lambda: MemoryEventStore(SystemClock()))

    async def tell(self, *facts: object) -> list[Told]:
        meta = encode_meta(Meta(actor=Actor(service="registry")))
        done = await self.store.append_batch(
            "registry",
            _SOURCE,
            await self.store.source_position("registry", _SOURCE) + 1,
            [new_fact(CONTRACT, fact, meta, SEALER) for fact in facts],
        )
        records = await self.store.read("registry", done.first - 1, len(facts))
        return [Told(record=one, fact=fact) for one, fact in zip(records, facts, strict=True)]

    async def register(self, number: int, flavour: str = "xgboost", model: bytes = b"", **changed: Any) -> str:
        """A version, signed, its file in the object store; returns its id."""
        path = {"xgboost": "model.json", "sklearn": "model.skops"}[flavour]
        model = model or (xgboost_model() if flavour == "xgboost" else sklearn_model())
        manifest = manifest_of(flavour, path, self.objects.put(model), len(model)) | changed
        digest = sha256(canonical(manifest)).hexdigest()
        version_id = f"credit-default.{number}"
        await self.tell(
            VersionRegistered(
                version_id=version_id,
                model_id="credit-default",
                model_name="credit default",
                number=number,
                digest=digest,
                manifest=manifest,
                author="Anna",
                signature=self.signer.sign(digest),
                key_id=self.signer.key_id,
            )
        )
        return version_id

    async def promote(self, version_id: str, replaces: str | None = None) -> Told:
        """The facts of a completed promotion; the last of them is returned."""
        registered = [CONTRACT.decode(one.type, one.schema_version, one.data) for one in self.store.ledgers["registry"]]
        digest = next(one.digest for one in registered if getattr(one, "version_id", "") == version_id)
        common = {"promotion_id": f"p-{version_id}", "version_id": version_id, "model_id": "credit-default"}
        told = await self.tell(
            PromotionCompleted(
                **common,
                version_digest=digest,
                environment_digest="e",
                stage="production",
                tier=2,
                approvers=("Boris",),
                at=datetime.now(UTC),
            ),
            ProductionEntered(**common, version_digest=digest, replaces=replaces),
        )
        return told[-1]

    async def roll_back(self, left: str, to: str) -> Told:
        rolled = ProductionRolledBack(
            model_id="credit-default",
            from_version_id=left,
            to_version_id=to,
            to_version_digest="d",
            reason="r",
            by="Boris",
        )
        return (await self.tell(rolled))[0]


_SOURCE = __import__("uuid").UUID(int=7)
SEALER = sealer("registry")


def manifest_of(flavour: str, path: str, sha: str, size: int) -> dict[str, Any]:
    return {
        "format": "letopis-manifest-v1",
        "model": "credit-default",
        "flavour": flavour,
        "language": "python",
        "artifacts": [{"path": path, "sha256": sha, "bytes": size}],
        "signature": {
            "inputs": [{"name": name, "type": "double", "required": name != "pay_amt"} for name in NAMES],
            "outputs": [{"name": "score", "type": "double"}],
        },
        "features": {"bundle": None, "entity": "account_id"},
        "monitors": ["psi"],
        "cutoff": 0.5,
    }


@dataclass
class Bank:
    """A running inference service and the world around it."""

    app: FastAPI
    client: httpx.AsyncClient
    registry: Registry
    resources: InferenceResources
    projectors: Sequence[Projector]
    ledgers: Sequence[SharedLedger]

    async def settle(self) -> None:
        """Every view has everything; every journal record is in the ledger."""
        await self.shipped()
        await settle(self.projectors, self.ledgers)

    async def shipped(self) -> None:
        resources = self.resources
        ledger = OwnLedger(resources.store, "decisions", resources.news)
        while (
            await resources.store.source_position("decisions", resources.journal.source_id)
            < resources.journal.synced.seq
        ):
            await ledger.wait(ledger.known, 0.2)

    async def ask(self, method: str, path: str, by: str = "bank-app", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Letopis-Purpose": "credit decisions"} | options.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **options)

    async def score(self, body: Any, by: str = "bank-app", path: str = "credit/v1") -> httpx.Response:
        return await self.ask("POST", f"/v1/score/{path}", by, json=body)

    async def deploy(self, version_id: str, api_version: str = "v1", **changed: Any) -> httpx.Response:
        await self.settle()
        body = {
            "application": "credit",
            "api_version": api_version,
            "version_id": version_id,
            "consumers": ["bank-app"],
        } | changed
        return await self.ask("POST", "/v1/deployments", "olga", json=body)

    async def react(self, told: Told) -> None:
        await self.settle()
        resources = self.resources
        await FollowProduction(resources.desk, resources.views, resources.serving, resources.clock)(told)

    async def decisions(self) -> Sequence[Any]:
        """The ledger as one who may read the inputs sees it."""
        ledger = OwnLedger(self.resources.store, "decisions", self.resources.news)
        return await OpenedLedger(ledger, DECISIONS, self.resources.keyring).read(0, 100_000)


@asynccontextmanager
async def opened(settings: InferenceSettings, registry: Registry) -> AsyncIterator[Bank]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    engine = open_engine(settings.projector_url)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://i") as client:
        app.state.resources = dataclasses.replace(app.state.resources, verifier=NamedTokens())
        resources: InferenceResources = app.state.resources
        sources = {
            "registry": SharedLedger(registry.store, "registry", News()),
            "inference": SharedLedger(resources.store, "inference", resources.news),
            "decisions": SharedLedger(resources.store, "decisions", resources.news),
        }
        projectors = [Projector(view, {name: sources[name] for name in view.sources}, engine) for view in VIEWS]
        locks = open_engine(settings.database_url, size=1)
        running = asyncio.create_task(resources.jobs.run(JobTurn(locks)))
        bank = Bank(app, client, registry, resources, projectors, [*sources.values()])
        try:
            await bank.settle()
            yield bank
        finally:
            await end(running)
            await engine.dispose()
            await locks.dispose()


@pytest.fixture
async def registry(tmp_path: Path) -> Registry:
    made = Registry(ObjectStore((tmp_path / "objects").as_uri()))
    for login, role in PEOPLE.items():
        await made.tell(
            PrincipalRegistered(
                login=login, person=login.title(), name=login, kind="human", organisation="bank", until=None
            ),
            RoleGranted(login=login, role=role),
        )
    return made


@pytest.fixture
def settings(
    tmp_path: Path, database: Callable[..., Any], opa_server: str, registry: Registry, subject_keys: Any
) -> InferenceSettings:
    made = database("inference", live_views("inference", tuple(VIEWS)))
    (tmp_path / "registry.pub").write_text(registry.signer.public_key, "ascii")
    return InferenceSettings(
        database_url=made.app_url,
        projector_url=made.projector_url,
        opa_url=opa_server,
        subject_keys_url=subject_keys.url,
        subject_keys_secret_file=subject_keys.secret("inference"),
        object_store_url=(tmp_path / "objects").as_uri(),
        state_dir=tmp_path / "state",
        files_dir=tmp_path / "files",
        registry_public_key_file=tmp_path / "registry.pub",
        disk_share=1.1,
    )


@pytest.fixture
async def bank(settings: InferenceSettings, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:
    # Answers of a test do not come in numbers that would be worth gathering.
    monkeypatch.setattr(shipper, "LINGER", 0)
    async with opened(settings, registry) as made:
        yield made


@pytest.fixture
def reopen(settings: InferenceSettings, registry: Registry) -> Callable[[], Any]:
    """Starts the service again on the same database and folder."""
    return lambda: opened(settings, registry)


@pytest.fixture
def end_principal() -> Callable[[str], PrincipalEnded]:
    return lambda login: PrincipalEnded(login=login)


@pytest.fixture
def clients() -> list[dict[str, Any]]:
    """Rows as a caller sends them."""
    inputs, _ = sample()
    return [
        {"account_id": str(number), **dict(zip(NAMES, map(float, row), strict=True))}
        for number, row in enumerate(inputs)
    ]
