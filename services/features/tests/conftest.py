"""Features on a real PostgreSQL, Valkey and policy engine, with sources on disk and people a registry knows."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

import letopis.features as package
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.settling import aside, live_views
from letopis.features.settings import FeaturesSettings
from letopis.features.worker import VIEWS
from letopis.registry.contract import RoleRevoked

# Tests are imported by path; what they share is loaded once under a name of its own.
_path = Path(__file__).with_name("shop.py")
_spec = importlib.util.spec_from_file_location("features_shop", _path)
shop_module = importlib.util.module_from_spec(_spec)
sys.modules["features_shop"] = shop_module
_spec.loader.exec_module(shop_module)

Shop, Registry, opened, enrolled = shop_module.Shop, shop_module.Registry, shop_module.opened, shop_module.enrolled
EMPTY = live_views("features", tuple(VIEWS))

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
    return await enrolled()


@pytest.fixture(scope="session")
def settings_of(policy_url: str, valkey_server: str) -> Callable[[Any, Path], FeaturesSettings]:
    """Settings of a service on a database, with its files in a folder."""

    def made(database: Any, folder: Path) -> FeaturesSettings:
        return FeaturesSettings(
            database_url=database.app_url,
            projector_url=database.projector_url,
            opa_url=policy_url,
            valkey_url=valkey_server,
            object_store_url=(folder / "objects").as_uri(),
            state_dir=folder / "state",
            source_root=folder / "sources",
        )

    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a stocked service begins with: its files, and what makes its database (and them) once a session."""

    files: Path
    prepare: Callable[[Any], None]
    settings_of: Callable[[Any, Path], FeaturesSettings]

    def copied(self, database: Callable[..., Any], folder: Path) -> FeaturesSettings:
        """Settings of a stocked service of one's own, with its files in a folder."""
        made = self.settings_of(database("features", self.prepare), folder)
        shutil.copytree(self.files, folder, dirs_exist_ok=True)
        return made


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory, settings_of: Callable[..., FeaturesSettings]) -> Stock:
    files = tmp_path_factory.mktemp("stock")

    def prepare(database: Any) -> None:
        EMPTY(database)
        aside(shop_module.stock(settings_of(database, files)))

    return Stock(files=files, prepare=prepare, settings_of=settings_of)


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: Callable[..., Any],
    settings_of: Callable[..., FeaturesSettings],
    stock: Stock,
) -> FeaturesSettings:
    """Of a service that is empty, or stocked where the test asks for `stocked`."""
    if "stocked" in request.fixturenames:
        made = stock.copied(database, tmp_path)
    else:
        made = settings_of(database("features", EMPTY), tmp_path)
    # One Valkey serves the whole session; what another test put online is gone.
    with Redis.from_url(made.valkey_url) as valkey:
        for key in valkey.scan_iter("letopis:online:*", count=1000):
            valkey.delete(key)
    return made


@pytest.fixture
async def shop(settings: FeaturesSettings, registry: "Registry") -> AsyncIterator["Shop"]:
    async with opened(settings, registry) as made:
        yield made


@pytest.fixture
def reopen(settings: FeaturesSettings, registry: "Registry") -> Callable[[], Any]:
    """Starts the service again on the same database and folders."""
    return lambda: opened(settings, registry)


@pytest.fixture
def stocked(shop: "Shop") -> "Shop":
    """With a panel and people, a view and a bundle, and a grant to Anna."""
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
