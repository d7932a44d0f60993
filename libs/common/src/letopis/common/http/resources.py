"""What a running service holds: opened once for the life of its application, passed to every call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from letopis.common.clock import Clock, SystemClock
from letopis.common.database import open_engine
from letopis.common.eventstore.port import EventStore
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.handling import Desk
from letopis.common.http.budget import Budgets
from letopis.common.identity.verifier import TokenVerifier
from letopis.common.mutual_tls import client_context
from letopis.common.policy.asking import Policy
from letopis.common.private_files import read_private
from letopis.common.running import end
from letopis.common.settings import ServiceSettings

if TYPE_CHECKING:
    from letopis.common.identity.directory import Directory, DirectoryView
    from letopis.common.policy.in_force import PolicyInForceView
    from letopis.common.projecting import ViewReader
    from letopis.common.sealing import Keyring


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
    keyring: "Keyring"
    budgets: Budgets = field(default_factory=Budgets)


@asynccontextmanager
async def open_resources(
    settings: ServiceSettings,
    service: str,
    directory: "type[DirectoryView]",
    *,
    ledger: str = "",
    heard: Callable[[str, int], None] | None = None,
    keys: int | None = None,
    releases: "type[PolicyInForceView] | None" = None,
) -> AsyncIterator[Resources]:
    """Connections to the service's own database, to policy and to the identity provider; made on first use.

    `ledger` is the one that commands append to, the service's name without it. `heard` is told of every append.
    `keys` is how many unassigned keys it holds ahead to seal personal fields with: 0 where it only reads sealed
    fields, None where it has nothing to do with them. `releases` is the service's view of published policy.
    """
    from letopis.common.identity.directory import Directory
    from letopis.common.policy.in_force import InForce
    from letopis.common.projecting import ViewReader
    from letopis.common.sealing import HttpKeyStore, Keyring, KeysAway, Sealer

    clock = SystemClock()
    facts = open_engine(settings.database_url, name=f"letopis-{service}", autocommit=True)
    reads = open_engine(settings.database_url, name=f"letopis-{service}-views")
    store = PostgresEventStore(facts, heard, archive=settings.object_store_url)
    views = ViewReader(reads)
    token = "" if settings.opa_token_file is None else read_private(settings.opa_token_file).strip()
    in_force = (
        None if releases is None else InForce(views, releases, clock, settings.policy_base, settings.policy_revision)
    )
    policy = Policy(settings.opa_url, service, clock, revision=settings.policy_revision, token=token, in_force=in_force)
    try:
        async with AsyncExitStack() as held:
            http = await held.enter_async_context(
                httpx.AsyncClient(timeout=10, trust_env=False, verify=client_context(settings))
            )
            keyring = Keyring(
                HttpKeyStore(http, settings.subject_keys_url, settings.subject_keys_secret_file), pool=keys or 0
            )
            if keys is not None:
                # With the key store away nothing personal is sealed or opened yet; the keyring goes on trying.
                with suppress(KeysAway):
                    await keyring.refresh()
                held.push_async_callback(end, asyncio.create_task(keyring.run()))
            yield Resources(
                settings=settings,
                service=service,
                clock=clock,
                store=store,
                desk=Desk(store, ledger or service, Sealer(keyring, ledger or service)),
                policy=policy,
                verifier=TokenVerifier(settings.oidc_issuer, http, clock, service=service),
                directory=Directory(views, directory),
                views=views,
                http=http,
                keyring=keyring,
                budgets=Budgets(rate=settings.caller_rate, burst=settings.caller_burst),
            )
    finally:
        await policy.close()
        await facts.dispose()
        await reads.dispose()
