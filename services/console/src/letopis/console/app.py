"""The console's web application: pages listed by hand; the session cookie becomes the bearer token of every call."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from letopis.common.clock import SystemClock
from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.replaying.api import replay_doors
from letopis.common.serialization import Catalogue
from letopis.console.chronicle.api import router as chronicle
from letopis.console.claim.api import router as claim
from letopis.console.completeness.api import router as completeness
from letopis.console.decision.api import router as decision
from letopis.console.page.assets import router as assets
from letopis.console.page.headers import SecurityHeaders
from letopis.console.page.owners import Owners
from letopis.console.page.problems import ProblemPages
from letopis.console.page.rendering import Pages
from letopis.console.parked.api import router as parked
from letopis.console.past.api import router as past
from letopis.console.policy.api import router as policy
from letopis.console.promotion.api import router as promotion
from letopis.console.proof.sealed import KeyBook, Sealed
from letopis.console.report.api import router as report
from letopis.console.session.api import router as session
from letopis.console.session.bearer import BearerFromCookie
from letopis.console.session.cookie import Seal, Setter
from letopis.console.session.issuer import Issuer
from letopis.console.session.origin import Origin
from letopis.console.settings import ConsoleSettings
from letopis.console.wall.api import router as wall
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE


class Directory(DirectoryView):
    """Who may look, from the registry's facts."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class ConsoleResources(Resources):
    """What the console holds besides: templates, the way to the owners, the public log, and the sessions."""

    pages: Pages
    owners: Owners
    sealed: Sealed
    seal: Seal
    setter: Setter
    issuer: Issuer


@asynccontextmanager
async def opened(
    settings: ConsoleSettings, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[ConsoleResources]:
    """The console's resources, until it stops."""
    setter = Setter(secure=Origin.of(settings.console_url).secure)
    async with open_resources(settings, "console", Directory, heard=heard, releases=PolicyInForce) as shared:
        owners = Owners(shared.http, settings, setter)
        redirect = f"{settings.console_url.rstrip('/')}/auth/callback"
        yield ConsoleResources(
            **vars(shared),
            pages=Pages(),
            owners=owners,
            sealed=Sealed(owners, KeyBook(settings.state_dir / "log_keys")),
            seal=_seal(settings),
            setter=setter,
            issuer=Issuer(shared.http, settings.oidc_issuer, settings.client_id, redirect),
        )


def routers() -> Sequence[APIRouter]:
    """Every page."""
    own = ledger_door("console", ("console",)), replay_doors("console", ("console",))
    return [
        session,
        assets,
        wall,
        promotion,
        chronicle,
        decision,
        parked,
        policy,
        report,
        past,
        claim,
        completeness,
        *own,
    ]


def create_app(
    settings: ConsoleSettings,
    heard: Callable[[str, int], None] | None = None,
    resources: Callable[[], AbstractAsyncContextManager[ConsoleResources]] | None = None,
) -> FastAPI:
    """The application; it does nothing until it is started. `resources` are the real ones unless given."""
    app = create_service(
        title="Letopis console",
        name="console",
        settings=settings,
        facts={"console": Catalogue([])},
        routers=routers(),
        resources=resources or (lambda: opened(settings, heard)),
    )
    origin = Origin.of(settings.console_url)
    # Added last stands first: headers on everything, problems of the session are pages too.
    app.add_middleware(
        BearerFromCookie,
        seal=_seal(settings),
        issuer=lambda: app.state.resources.issuer,
        clock=SystemClock(),
        origin=origin,
        setter=Setter(secure=origin.secure),
    )
    app.add_middleware(ProblemPages, pages=Pages())
    app.add_middleware(SecurityHeaders, secure=origin.secure)
    return app


def _seal(settings: ConsoleSettings) -> Seal:
    return Seal.from_file(settings.state_dir / "cookie.key")
