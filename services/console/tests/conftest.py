"""What tests of the console share: a short history of everybody's facts, and the real application over PostgreSQL."""

import importlib.util
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from letopis.common.clock import FixedClock
from letopis.common.database import open_engine
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.projecting import Projector
from letopis.console.app import ConsoleResources, create_app, opened
from letopis.console.proof.sealed import Sealed
from letopis.console.settings import ConsoleSettings
from letopis.console.worker import VIEWS

# Tests are imported by path; what they share is loaded once under a name of its own.
for name in ("history", "neighbours"):
    _spec = importlib.util.spec_from_file_location(f"console_{name}", Path(__file__).with_name(f"{name}.py"))
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = _module
    _spec.loader.exec_module(_module)

from console_history import LEDGERS, NOW, tell  # noqa: E402
from console_neighbours import Directory, Neighbours, Verifier  # noqa: E402

ADDRESS = "http://console.test"


@pytest.fixture(scope="session")
async def store():
    """The ledgers of all services after the history."""
    filled = MemoryEventStore(FixedClock(NOW))
    await tell(filled)
    return filled


@pytest.fixture(scope="session")
async def records(store):
    """Every fact of the history, ledger by ledger."""
    return [record for ledger in LEDGERS for record in await store.read(ledger, 0, 1000)]


@pytest.fixture(scope="module")
def settings(database, opa_server, tmp_path_factory):
    made = database("console")
    return ConsoleSettings(
        database_url=made.app_url,
        owner_url=made.owner_url,
        projector_url=made.projector_url,
        opa_url=opa_server,
        oidc_issuer="http://issuer.test",
        console_url=ADDRESS,
        registry_url="http://registry.test",
        inference_url="http://inference.test",
        features_url="http://features.test",
        audit_url="http://audit.test",
        state_dir=tmp_path_factory.mktemp("console"),
    )


@pytest.fixture(scope="module")
async def views(settings, store):
    """All read models of the console, folded into its database."""
    engine = open_engine(settings.projector_url, name="console-tests")
    news = News()
    for view in VIEWS:
        sources = {ledger: OwnLedger(store, ledger, news) for ledger in view.sources}
        projector = Projector(view, sources, engine)
        while await projector.step() or not projector.live:
            pass
    await engine.dispose()


@pytest.fixture(scope="module")
def neighbours(store):
    """The other services as far as the console asks them."""
    return Neighbours(store)


@pytest.fixture(scope="module")
async def app(settings, views, neighbours):
    """The running application; tokens are logins."""

    @asynccontextmanager
    async def resources():
        async with opened(settings) as real, httpx.AsyncClient(transport=neighbours.transport()) as http:
            owners = type(real.owners)(http, settings, real.setter)
            real.issuer.http = http
            others = {
                "verifier": Verifier(),
                "directory": Directory(),
                "owners": owners,
                "sealed": Sealed(owners, real.sealed.keys),
                "http": http,
            }
            yield ConsoleResources(**vars(real) | others)

    made = create_app(settings, resources=resources)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def stranger(app):
    """A browser that has not logged in."""
    transport = httpx.ASGITransport(app=app)
    headers = {"accept": "text/html,application/xhtml+xml"}
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        yield client


@pytest.fixture
def browser(app, stranger):
    """Logs a browser in as somebody, by the cookies that a login leaves."""

    def as_(login, purpose="audit"):
        seal, now = app.state.resources.seal, datetime.now(UTC)
        kept = {"access": login, "refresh": "", "until": now.timestamp() + 3600}
        stranger.cookies.set("letopis_session", seal.close("letopis_session", kept, now + timedelta(hours=1)))
        if purpose:
            stranger.cookies.set("letopis_purpose", purpose)
        return stranger

    return as_
