"""From a version id to a loaded version: what the registry told, its key, the object store."""

import asyncio
from dataclasses import dataclass

from letopis.common.errors import NotFound
from letopis.common.objects import ObjectStore
from letopis.common.projecting import ViewReader
from letopis.inference.deployment.keys import RegistryKeys
from letopis.inference.deployment.views import candidate
from letopis.inference.scoring.servable import Servable, load


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads versions for deployments; the gate is asked again at every load."""

    views: ViewReader
    keys: RegistryKeys
    objects: ObjectStore

    async def __call__(self, version_id: str) -> Servable:
        """The version ready to answer; NotFound, Unavailable, or the Refused that says what is wrong with it."""
        found = await candidate(self.views, version_id)
        if found is None:
            raise NotFound(f"the registry has told of no version {version_id} yet")
        keys = await self.keys.get(found.bundle.key_id)
        return await asyncio.to_thread(load, found.bundle, keys, self.objects)
