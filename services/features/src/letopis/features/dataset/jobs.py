"""A training set is verified once after it was built; nobody waits while its files are hashed."""

import asyncio
from functools import partial
from uuid import uuid5

from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta, decode_meta
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.handling import Desk
from letopis.common.jobs import Jobs
from letopis.common.objects import ObjectStore
from letopis.features.dataset.decider import DATASET, Built, DatasetUnknown, RecordVerification
from letopis.features.dataset.hashing import hashed
from letopis.features.settings import FeaturesSettings

VERIFY = "features.dataset.verify"


def declare(jobs: Jobs, settings: FeaturesSettings) -> None:
    """The jobs of this room."""
    jobs.add(VERIFY, partial(_verify, settings))


async def _verify(settings: FeaturesSettings, dataset_id: str) -> None:
    engine = open_engine(settings.database_url, name="letopis-features-jobs", size=1, autocommit=True)
    try:
        desk = Desk(PostgresEventStore(engine), "features")
        await verify(desk, ObjectStore(settings.object_store_url), dataset_id)
    finally:
        await engine.dispose()


async def verify(desk: Desk, objects: ObjectStore, dataset_id: str) -> None:
    """Hash its files and record what was found; the second time nothing is done. DatasetUnknown if it was never built.

    The command's id comes from the fact that the set was built, so repetitions leave one fact behind.
    """
    state = (await desk.load(DATASET, dataset_id)).state
    if not isinstance(state, Built):
        raise DatasetUnknown
    (built, *_) = await desk.store.load(desk.ledger, DATASET.stream(dataset_id))
    command_id = uuid5(built.event_id, VERIFY)
    if await desk.find(command_id, b"") is not None:
        return
    found = await asyncio.to_thread(hashed, objects, [file.sha256 for file in state.manifest.files])
    meta = Meta(
        actor=Actor(service="features"),
        purpose=state.manifest.purpose,
        correlation_id=decode_meta(built.meta).correlation_id,
        causation_id=str(built.event_id),
    )
    command = RecordVerification(found=found, verified_by="service:features")
    await desk.handle(DATASET, dataset_id, command, meta, command_id)
