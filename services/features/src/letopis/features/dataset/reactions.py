"""What follows when a training set was built: a job that hashes its files again."""

from dataclasses import dataclass

from letopis.common.jobs import Enqueue
from letopis.common.projecting import Told
from letopis.common.reacting import Reaction
from letopis.features.dataset.events import FACTS, DatasetBuilt
from letopis.features.dataset.jobs import VERIFY


@dataclass(frozen=True, slots=True)
class VerifyBuilt:
    """Harmless when repeated: the job does nothing the second time."""

    enqueue: Enqueue

    async def __call__(self, told: Told) -> None:
        """Unavailable while jobs cannot be enqueued: the reaction waits at this fact."""
        if isinstance(told.fact, DatasetBuilt):
            await self.enqueue(VERIFY, told.fact.dataset_id)

    def reaction(self) -> Reaction:
        return Reaction(name="verify_built", sources={"features": FACTS}, react=self)
