"""The clock of emergencies: when the hours are over, a version that is there by emergency alone leaves production."""

import asyncio
import logging
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Unavailable
from letopis.common.handling import Desk
from letopis.common.projecting import ViewReader
from letopis.registry.break_glass import views
from letopis.registry.break_glass.decider import BREAK_GLASS, LapseBreakGlass
from letopis.registry.production.decider import PRODUCTION, RollBack

EVERY = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lapsing:
    """First production goes back, then the emergency is said to be over: a crash in between repeats both."""

    desk: Desk
    views: ViewReader
    clock: Clock

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.step()
            except Unavailable as away:
                _log.warning("emergencies are not looked at: %s", away.detail)
            await asyncio.sleep(EVERY)

    async def step(self) -> None:
        """End what is over now."""
        now = self.clock.now()
        for model_id, break_glass_id in await views.over(self.views, now):
            meta = Meta(actor=Actor(service="registry"), correlation_id=break_glass_id)
            trail = (await self.desk.load(PRODUCTION, model_id)).state.trail
            if len(trail) > 1 and trail[-1].promotion_id == break_glass_id:
                back = RollBack(
                    model_id=model_id,
                    from_version_id=trail[-1].version_id,
                    reason="the hours of the emergency are over",
                    by="",
                )
                once = uuid5(NAMESPACE_URL, f"letopis:break-glass:{break_glass_id}:back")
                await self.desk.handle(PRODUCTION, model_id, back, meta, once)
            command = LapseBreakGlass(break_glass_id=break_glass_id, at=now)
            once = uuid5(NAMESPACE_URL, f"letopis:break-glass:{break_glass_id}:over")
            await self.desk.handle(BREAK_GLASS, model_id, command, meta, once)
