"""What a running service holds: opened once for the life of its application, passed to every call."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from letopis.common.clock import Clock, SystemClock
from letopis.common.database import open_engine
from letopis.common.eventstore.port import EventStore
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.handling import Desk
from letopis.common.identity.verifier import TokenVerifier
from letopis.common.policy.asking import Policy
from letopis.common.settings import ServiceSettings

if TYPE_CHECKING:
    from letopis.common.identity.directory import Directory, DirectoryView
    from letopis.common.projecting import ViewReader


@dataclass(frozen=True, kw_only=True)
class Resources:
    """A service adds its own by a subclass: `RegistryResources(**vars(resources), signer=signer)`."""

    settings: ServiceSettings
    service: str
    clock: Clock
    store: EventStore
    desk: Desk
    policy: Policy
    verifier: TokenVerifier
    directory: "Directory"
    views: "ViewReader"
    http: httpx.AsyncClient


@asynccontextmanager
async def open_resources(
    settings: ServiceSettings,
    service: str,
    directory: "type[DirectoryView]",
    *,
    ledger: str = "",
    heard: Callable[[str, int], None] | None = None,
) -> AsyncIterator[Resources]:
    """Connections to the service's own database, to policy and to the identity provider; made on first use.

    `ledger` is the one that commands append to, the service's name without it. `heard` is told of every append.
    """
    from letopis.common.identity.directory import Directory
    from letopis.common.projecting import ViewReader

    clock = SystemClock()
    facts = open_engine(settings.database_url, name=f"letopis-{service}", autocommit=True)
    reads = open_engine(settings.database_url, name=f"letopis-{service}-views")
    store = PostgresEventStore(facts, heard)
    views = ViewReader(reads)
    policy = Policy(settings.opa_url, service, clock)
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            yield Resources(
                settings=settings,
                service=service,
                clock=clock,
                store=store,
                desk=Desk(store, ledger or service),
                policy=policy,
                verifier=TokenVerifier(settings.oidc_issuer, http, clock),
                directory=Directory(views, directory),
                views=views,
                http=http,
            )
    finally:
        await policy.close()
        await facts.dispose()
        await reads.dispose()
