"""A committed batch goes online, also when the service stopped between the two."""

from dataclasses import dataclass

from letopis.common.projecting import Told
from letopis.common.reacting import Reaction
from letopis.features.batch.events import FACTS, FeatureBatchCommitted
from letopis.features.batch.materialising import Materialiser


@dataclass(frozen=True, slots=True)
class PutOnline:
    """Harmless when repeated: newer rows stay, and what is recorded already is not recorded again."""

    materialiser: Materialiser

    async def __call__(self, told: Told) -> None:
        """Unavailable while the online store is away: the reaction waits at this fact."""
        if isinstance(told.fact, FeatureBatchCommitted):
            await self.materialiser.ensure_online(told.fact, told.meta)

    def reaction(self) -> Reaction:
        return Reaction(name="put_online", sources={"features": FACTS}, react=self)
