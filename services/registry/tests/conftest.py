"""The registry over real PostgreSQL and policy, with tokens by name and views kept current after every request."""

import json
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI

from letopis.common.database import open_engine
from letopis.common.following import News
from letopis.common.http import create_service
from letopis.common.identity.claims import Claims, TokenRefused
from letopis.common.projecting import Projector
from letopis.common.testing.settling import SharedLedger, aside, live_views, settle
from letopis.registry.app import RegistryResources, opened, routers
from letopis.registry.settings import RegistrySettings
from letopis.registry.worker import VIEWS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOKEN = "the token of this installation"
PEOPLE = {
    "anna": ["data_scientist", "model_owner"],
    "boris": ["model_owner"],
    "vera": ["validator", "risk_officer"],
    "irina": ["auditor"],
}
DRAFT = {
    "format": "letopis-manifest-v1",
    "model": "credit",
    "flavour": "xgboost",
    "signature": {
        "inputs": [{"name": "bill", "type": "double", "required": True}],
        "outputs": [{"name": "score", "type": "double"}],
    },
}
WHOLE = DRAFT | {
    "language": "python",
    "owner": "boris",
    "support_owner": "olga",
    "code": {"commit": "c0ffee"},
    "training_data": ["d1"],
    "environment": {"digest": "e" * 64, "python": "3.11", "requirements": ["xgboost==3.2.0"]},
    "monitors": ["drift"],
    "documents": [{"name": "development", "sha256": "b" * 64}],
}
# Who has a key, from a seed: a registry that is opened again knows it.
SEEDS = {"anna": b"a" * 32, "boris": b"b" * 32, "vera": b"v" * 32}
EVIDENCE = ("documentation", "explainability", "fairness", "out_of_time_quality", "reproducible_build")
EMPTY = live_views("registry", tuple(VIEWS))


class Verifier:
    """Knows tokens by name: `anna` is Anna, who showed a second factor a while ago; `service:x` is a service."""

    def __init__(self) -> None:
        self.factor_age = timedelta()

    async def verify(self, token: str) -> Claims:
        if " " in token:
            raise TokenRefused
        service = token.partition(":")[2] if token.startswith("service:") else ""
        return Claims(
            login=token,
            person="" if service else token,
            service=service,
            issuer="http://issuer",
            issued_at=NOW,
            expires_at=NOW + timedelta(hours=1),
            mfa_at=None if service else datetime.now(UTC) - self.factor_age,
        )


@dataclass(kw_only=True)
class Registry:
    """The application and a client of it."""

    app: FastAPI
    client: httpx.AsyncClient
    resources: RegistryResources
    projectors: list[Projector]
    ledger: SharedLedger
    keys: dict[str, Ed25519PrivateKey]

    async def send(self, method: str, path: str, by: str, *, key: str = "", **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Idempotency-Key": key or str(uuid4())}
        answer = await self.client.request(method, path, headers=headers, **sent)
        await self.settle()
        return answer

    async def settle(self) -> None:
        await settle(self.projectors, [self.ledger])

    async def post(self, path: str, by: str, body: Any = None, *, key: str = "") -> httpx.Response:
        return await self.send("POST", path, by, key=key, json={} if body is None else body)

    async def get(self, path: str, by: str) -> httpx.Response:
        return await self.send("GET", path, by)

    async def enrol(self) -> None:
        """Olga first, then everybody; Boris, Vera and Anna with keys."""
        assert (await self.post("/v1/principals/first", "olga", first())).status_code == 201
        for login, roles in PEOPLE.items():
            body = {"login": login, "person": login, "name": login.title(), "roles": roles}
            assert (await self.post("/v1/principals", "olga", body)).status_code == 201
        for login, key in self.keys.items():
            raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            enrolled = await self.post(f"/v1/principals/{login}/keys", login, {"public_key": b64encode(raw).decode()})
            assert enrolled.status_code == 201

    async def version(self, content: bytes = b"{}", **change: Any) -> str:
        """A registered version; its id."""
        sha = sha256(content).hexdigest()
        uploaded = await self.send("PUT", f"/v1/artifacts/{sha}", "anna", content=content)
        assert uploaded.status_code == 201
        artifact = {"path": "model.json", "sha256": sha, "bytes": len(content)}
        body = {"model_id": "credit", "manifest": WHOLE | {"artifacts": [artifact]} | change}
        answer = await self.post("/v1/versions", "anna", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def ready(self, content: bytes = b"{}") -> str:
        """A version that lacks nothing for production; its id."""
        version_id = await self.version(content)
        use_case = {
            "use_case_id": "cards",
            "name": "Cards",
            "goal": "Lend with care",
            "owner": "boris",
            "decision_domain": "credit",
            "customer_reach": "mass",
            "materiality": "high",
        }
        await self.post("/v1/use-cases", "anna", use_case)
        await self.post("/v1/use-cases/cards/approvals", "vera")
        await self.post("/v1/models/credit/use-case", "anna", {"use_case_id": "cards"})
        for kind in EVIDENCE:
            await self.evidence(version_id, kind, "anna")
        await self.evidence(version_id, "validation_report", "vera")
        return version_id

    async def evidence(self, version_id: str, kind: str, by: str) -> httpx.Response:
        body = {"kind": kind, "outcome": "passed", "summary": "measured"}
        return await self.post(f"/v1/versions/{version_id}/evidence", by, body)

    def signed(self, asked: dict[str, Any], by: str, verdict: str = "approve", **change: str) -> dict[str, str]:
        """An approval signed over what `asked` pins; `change` is what is sent in place of what was signed."""
        raw = self.keys[by].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        digests = {name: asked[name] for name in ("version_digest", "environment_digest", "policy_revision")}
        key_id = sha256(raw).hexdigest()[:16]
        statement = {"promotion": asked["promotion_id"], "verdict": verdict, "person": by, "key_id": key_id, **digests}
        text = json.dumps(statement, sort_keys=True, separators=(",", ":"))
        signature = b64encode(self.keys[by].sign(b"letopis-approval-v1\n" + text.encode())).decode()
        return {"verdict": verdict, "key_id": key_id, "signature": signature, **digests, **change}

    async def promote(self, version_id: str) -> dict[str, Any]:
        """Requested by Anna and signed by Boris; the request's fact."""
        made = await self.post("/v1/promotions", "anna", {"version_id": version_id})
        assert made.status_code == 201, made.text
        asked: dict[str, Any] = made.json()["facts"][0]["data"]
        path = f"/v1/promotions/{asked['promotion_id']}/approvals"
        assert (await self.post(path, "boris", self.signed(asked, "boris"))).status_code == 201
        return asked


def first() -> dict[str, str]:
    return {"token": TOKEN, "person": "olga", "name": "Olga"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a registry begins with: its artifacts, and what makes its database (and them) once a session."""

    files: Path
    prepare: Callable[[Any], None]


def application() -> FastAPI:
    """Its doors are built once; what is behind them is opened for each registry, by `app.state.settings`."""

    @asynccontextmanager
    async def resources() -> AsyncIterator[RegistryResources]:
        async with opened(app.state.settings) as real:
            yield RegistryResources(**vars(real) | {"verifier": Verifier()})

    app = create_service("Letopis registry", "registry", RegistrySettings.model_construct(), routers(), resources)
    return app


Opening = Callable[[Any, Path], AbstractAsyncContextManager[Registry]]


@pytest.fixture(scope="session")
def opening(opa_server: str, subject_keys: Any) -> Opening:
    """Opens a registry on a database, with its files in a folder."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    app = application()

    @asynccontextmanager
    async def opens(made: Any, folder: Path) -> AsyncIterator[Registry]:
        (folder / "token").write_text(TOKEN)
        (folder / "key.pem").write_bytes(pem)
        app.state.settings = RegistrySettings(
            database_url=made.app_url,
            projector_url=made.projector_url,
            opa_url=opa_server,
            subject_keys_url=subject_keys.url,
            subject_keys_secret_file=subject_keys.secret("registry"),
            object_store_url=(folder / "objects").as_uri(),
            signing_key_file=folder / "key.pem",
            enrolment_token_file=folder / "token",
        )

        engine = open_engine(made.projector_url)
        transport = httpx.ASGITransport(app=app)
        keys = {login: Ed25519PrivateKey.from_private_bytes(seed) for login, seed in SEEDS.items()}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://registry") as client,
        ):
            own = app.state.resources
            ledger = SharedLedger(own.store, "registry", News())
            projectors = [Projector(view, {"registry": ledger}, engine) for view in VIEWS]
            running = Registry(app=app, client=client, resources=own, projectors=projectors, ledger=ledger, keys=keys)
            await running.settle()
            yield running
        await engine.dispose()

    return opens


def stock(opening: Opening, files: Path, act: Callable[[Registry], Any]) -> Stock:
    """What a registry is after `act`."""

    async def acting(database: Any) -> None:
        async with opening(database, files) as registry:
            await act(registry)

    def prepare(database: Any) -> None:
        EMPTY(database)
        aside(acting(database))

    return Stock(files=files, prepare=prepare)


@pytest.fixture(scope="session")
def staff(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stock(opening, tmp_path_factory.mktemp("staff"), Registry.enrol)


@pytest.fixture(scope="session")
def goods(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    async def act(registry: Registry) -> None:
        await registry.enrol()
        assert await registry.ready() == "credit.1"

    return stock(opening, tmp_path_factory.mktemp("goods"), act)


@pytest.fixture
async def registry(database, opening, tmp_path):
    """Nobody is enrolled."""
    async with opening(database("registry", EMPTY), tmp_path) as running:
        yield running


@pytest.fixture
async def staffed(database, opening, staff, tmp_path):
    """Everybody is enrolled."""
    async with opening(database("registry", staff.prepare), tmp_path) as running:
        yield running


@pytest.fixture
async def stocked(database, opening, goods, tmp_path):
    """Everybody is enrolled, and the version `credit.1` lacks nothing for production."""
    made = database("registry", goods.prepare)
    shutil.copytree(goods.files, tmp_path, dirs_exist_ok=True)
    async with opening(made, tmp_path) as running:
        yield running
