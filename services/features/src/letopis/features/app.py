"""The web application of features: routers listed by hand, resources opened for its life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from letopis.common.errors import Unavailable
from letopis.common.handling import Desk
from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.ids import uuid7
from letopis.common.objects import ObjectStore
from letopis.common.observability import Metrics
from letopis.common.parked.api import parked_doors
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.policy.lease import Leases
from letopis.common.replaying.api import replay_doors
from letopis.common.running import Parts, end
from letopis.features.batch.api import router as batch
from letopis.features.batch.materialising import Materialiser
from letopis.features.bundle.api import router as bundle
from letopis.features.contract import PUBLISHED
from letopis.features.dataset.api import router as dataset
from letopis.features.entity.api import router as entity
from letopis.features.grant.api import router as grant
from letopis.features.online.api import router as online
from letopis.features.online.counting import Book, Counts
from letopis.features.online.shelf import Shelf
from letopis.features.online.store import OnlineStore
from letopis.features.query.api import router as query
from letopis.features.query.gateway import Gateway
from letopis.features.query.secret import master_secret
from letopis.features.settings import FeaturesSettings
from letopis.features.source.api import router as source
from letopis.features.source.lake import Lake
from letopis.features.view.api import router as view
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE


class Directory(DirectoryView):
    """Who may act, from the registry's facts."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class FeaturesResources(Resources):
    """What features holds besides: files, the gateway, the online store with its leases and counts."""

    objects: ObjectStore
    lake: Lake
    gateway: Gateway
    online: OnlineStore
    materialiser: Materialiser
    leases: Leases[Any]
    counts: Counts
    shelf: Shelf[Any]
    store_away: Any


@asynccontextmanager
async def opened(
    settings: FeaturesSettings, metrics: Metrics, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[FeaturesResources]:
    """The resources of features, until it stops; then what was counted is recorded."""
    lake, process = Lake(settings.sources), str(uuid7())
    async with open_resources(settings, "features", Directory, heard=heard, releases=PolicyInForce) as shared:
        access = Desk(shared.store, "access")
        objects, store = ObjectStore(settings.object_store_url), OnlineStore(settings.valkey_url)
        counts = Counts(access, shared.clock, process, settings.state_dir / "online.process")
        leases: Leases[Any] = Leases(shared.policy, shared.clock, Book(access, counts), frozenset({"mask"}))
        # Leases and counts live in the process that serves; they are no business of a separate worker.
        parts = Parts(metrics)
        parts.add("leases", leases.run)
        parts.add("counts", counts.run)
        running = asyncio.create_task(parts.run())
        try:
            yield FeaturesResources(
                **vars(shared),
                objects=objects,
                lake=lake,
                gateway=Gateway(access, shared.desk, lake, master_secret(settings.token_key)),
                online=store,
                materialiser=Materialiser(shared.desk, objects, store),
                leases=leases,
                counts=counts,
                shelf=Shelf(),
                store_away=metrics.counter("online_store_away", "Online reads answered without the store"),
            )
        finally:
            await end(running)
            # If the database is away now, the next start records that counts are unknown.
            with suppress(Unavailable):
                await counts.end()
            await store.close()


def create_app(settings: FeaturesSettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; it does nothing until it is started."""
    metrics = Metrics("features")
    return create_service(
        title="Letopis features",
        name="features",
        settings=settings,
        facts=PUBLISHED,
        routers=[
            source,
            grant,
            entity,
            view,
            bundle,
            query,
            dataset,
            batch,
            online,
            ledger_door("features", ("features", "access")),
            replay_doors("features", ("features", "access")),
            parked_doors("features"),
        ],
        resources=lambda: opened(settings, metrics, heard),
        metrics=metrics,
    )
