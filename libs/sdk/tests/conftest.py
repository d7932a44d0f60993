"""A real issuer on loopback in the demonstration's profile, and a config folder of one's own for every test."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.ports import free_port
from letopis.local.postgres.provision import Database
from letopis.local.testing import Nats
from letopis.local.vault import Vault, new_ed25519, new_password
from letopis.sdk.places import Places


@pytest.fixture(scope="session")
def issuer_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture(scope="session")
def issuer_url(issuer_data: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = Program(
        argv=[sys.executable, "-m", "letopis.local.issuer"],
        log=issuer_data / "log",
        environment={
            "LETOPIS_PROFILE": "demo",
            "LETOPIS_DATA_DIR": str(issuer_data),
            "LETOPIS_OIDC_ISSUER": url,
            "LETOPIS_ISSUER_PORT": str(port),
        },
    )
    process = spawn(program)
    try:
        wait_until(lambda: _answers(f"{url}/healthz"), process, program, 60)
        yield url
    finally:
        end(process, program.stop_signal)


@dataclass(frozen=True)
class Registry:
    url: str
    enrolment_token: str


@pytest.fixture(scope="module")
def registry(
    database: Callable[..., Database],
    opa_server: str,
    nats_server: Nats,
    subject_keys: Any,
    issuer_url: str,
    issuer_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Registry]:
    """A real registry as the stack runs it: its own database, policy engine, issuer and messages."""
    stored, folder, port = database("registry"), tmp_path_factory.mktemp("registry"), free_port()
    vault = Vault(folder / "secrets")
    url = f"http://127.0.0.1:{port}"
    token = vault.path("enrolment_token", new_password)
    program = Program(
        argv=[sys.executable, "-m", "letopis.registry", "all"],
        log=folder / "log",
        environment={
            "LETOPIS_PROFILE": "demo",
            "LETOPIS_DATA_DIR": str(folder),
            "LETOPIS_OIDC_ISSUER": issuer_url,
            "LETOPIS_OPA_URL": opa_server,
            "LETOPIS_NATS_URL": nats_server.url,
            "LETOPIS_SUBJECT_KEYS_URL": subject_keys.url,
            "LETOPIS_REGISTRY_SUBJECT_KEYS_SECRET_FILE": str(subject_keys.secret("registry")),
            "LETOPIS_OBJECT_STORE_URL": (folder / "objects").as_uri(),
            "LETOPIS_REGISTRY_DATABASE_URL": stored.app_url,
            "LETOPIS_REGISTRY_OWNER_URL": stored.owner_url,
            "LETOPIS_REGISTRY_PROJECTOR_URL": stored.projector_url,
            "LETOPIS_REGISTRY_NATS_SEED_FILE": str(nats_server.seeds["registry"]),
            "LETOPIS_REGISTRY_CLIENT_SECRET_FILE": str(issuer_data / "secrets" / "registry.client_secret"),
            "LETOPIS_REGISTRY_SIGNING_KEY_FILE": str(vault.path("signing_key", new_ed25519)),
            "LETOPIS_REGISTRY_ENROLMENT_TOKEN_FILE": str(token),
            "LETOPIS_REGISTRY_STATE_DIR": str(folder / "state"),
            "LETOPIS_REGISTRY_PORT": str(port),
        },
    )
    process = spawn(program)
    try:
        wait_until(lambda: _answers(f"{url}/readyz"), process, program, 60)
        yield Registry(url, token.read_text().strip())
    finally:
        end(process, program.stop_signal)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config folder; nothing of the environment tells where services are."""
    for name in ("REGISTRY", "FEATURES", "INFERENCE", "MONITORING", "AUDIT", "CONSOLE", "MLFLOW"):
        monkeypatch.delenv(f"LETOPIS_{name}_URL", raising=False)
    monkeypatch.delenv("LETOPIS_OIDC_ISSUER", raising=False)
    monkeypatch.delenv("LETOPIS_DATA_DIR", raising=False)
    folder = tmp_path / "config"
    monkeypatch.setenv("LETOPIS_CONFIG_DIR", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def places(issuer_url: str) -> Places:
    """The issuer is there; at the services' addresses nobody listens."""
    nobody = f"http://127.0.0.1:{free_port()}"
    names = ("registry", "features", "inference", "monitoring", "audit", "console", "mlflow")
    return Places(urls={"issuer": issuer_url} | dict.fromkeys(names, nobody))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
