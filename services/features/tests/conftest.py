"""Features on a real PostgreSQL, Valkey and policy engine, with sources on disk and people a registry knows."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

import letopis.features as package
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.settling import live_views
from letopis.features.settings import FeaturesSettings
from letopis.features.worker import VIEWS
from letopis.registry.contract import PrincipalRegistered, RoleGranted, RoleRevoked

# Tests are imported by path; what they share is loaded once under a name of its own.
_path = Path(__file__).with_name("shop.py")
_spec = importlib.util.spec_from_file_location("features_shop", _path)
shop_module = importlib.util.module_from_spec(_spec)
sys.modules["features_shop"] = shop_module
_spec.loader.exec_module(shop_module)

Shop, Registry, opened = shop_module.Shop, shop_module.Registry, shop_module.opened
PEOPLE, panel, people = shop_module.PEOPLE, shop_module.panel, shop_module.people
PANEL_CLASSES, PEOPLE_CLASSES, VIEW_SQL = shop_module.PANEL_CLASSES, shop_module.PEOPLE_CLASSES, shop_module.VIEW_SQL

# A process of its own: `act` gets the opened shop, and does not come back.
_PROCESS = """
import asyncio, importlib.util, os, signal, sys
from letopis.features.settings import FeaturesSettings

spec = importlib.util.spec_from_file_location("features_shop", os.environ["SHOP"])
module = importlib.util.module_from_spec(spec)
sys.modules["features_shop"] = module
spec.loader.exec_module(module)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

{act}

async def main():
    settings = FeaturesSettings.model_validate_json(os.environ["SETTINGS"])
    async with module.opened(settings, module.Registry()) as shop:
        await act(shop)

asyncio.run(main())
"""


@pytest.fixture(scope="session")
def policy_url(opa_serving: Callable[..., str]) -> str:
    """A policy engine with the rooms of features alone."""
    return opa_serving(bundle_of(collect([Path(package.__file__).parents[1]])))


@pytest.fixture
async def registry() -> "Registry":
    made = Registry()
    for login, role in PEOPLE.items():
        await made.tell(
            PrincipalRegistered(
                login=login, person=login.title(), name=login, kind="human", organisation="bank", until=None
            ),
            RoleGranted(login=login, role=role),
        )
    return made


@pytest.fixture
def settings(tmp_path: Path, database: Callable[..., Any], policy_url: str, valkey_server: str) -> FeaturesSettings:
    made = database("features", live_views("features", tuple(VIEWS)))
    # One Valkey serves the whole session; what another test put online is gone.
    with Redis.from_url(valkey_server) as valkey:
        for key in valkey.scan_iter("letopis:online:*", count=1000):
            valkey.delete(key)
    return FeaturesSettings(
        database_url=made.app_url,
        projector_url=made.projector_url,
        opa_url=policy_url,
        valkey_url=valkey_server,
        object_store_url=(tmp_path / "objects").as_uri(),
        state_dir=tmp_path / "state",
        source_root=tmp_path / "sources",
    )


@pytest.fixture
async def shop(settings: FeaturesSettings, registry: "Registry") -> AsyncIterator["Shop"]:
    async with opened(settings, registry) as made:
        yield made


@pytest.fixture
def reopen(settings: FeaturesSettings, registry: "Registry") -> Callable[[], Any]:
    """Starts the service again on the same database and folders."""
    return lambda: opened(settings, registry)


@pytest.fixture
async def stocked(shop: "Shop") -> "Shop":
    """With a panel and people, a view and a bundle, and a grant to Anna."""
    await shop.source("panel", panel(), PANEL_CLASSES)
    await shop.source("people", people(), PEOPLE_CLASSES)
    await shop.grant(
        "Anna", {"panel": ["status", "bill", "paid", "label"], "people": ["full_name", "email", "phone", "born"]}
    )
    await shop.done("/v1/entities", "anna", {"entity": "account", "key": "account_id"})
    view = {
        "name": "behaviour",
        "entity": "account",
        "event_time": "happened",
        "known_time": "known",
        "sql": VIEW_SQL,
    }
    await shop.done("/v1/views", "anna", view)
    await shop.done("/v1/bundles", "anna", {"name": "credit", "features": [{"view_id": "behaviour.1"}]})
    return shop


@pytest.fixture
def take_role(registry: "Registry") -> Callable[[str, str], Any]:
    return lambda login, role: registry.tell(RoleRevoked(login=login, role=role))


@pytest.fixture
def killed(settings: FeaturesSettings) -> Callable[[str], None]:
    """Runs `async def act(shop)` in another process on the same database; it must end by SIGKILL."""

    def run(act: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-c", _PROCESS.format(act=act)],
            env={**os.environ, "SETTINGS": settings.model_dump_json(), "SHOP": str(_path)},
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert ended.returncode == -9, ended.stderr.decode()[-3000:]

    return run
