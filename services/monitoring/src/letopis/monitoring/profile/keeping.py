"""Keeps the profile of every monitor current: a projector each, begun when a monitor appears, ended when it retires."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.errors import NotFound, Unavailable
from letopis.common.following import Source
from letopis.common.observability import Metrics
from letopis.common.projecting import Projector, ViewReader
from letopis.common.projecting.rebuild import rebuild
from letopis.common.running import Parts
from letopis.monitoring.monitor.views import watching
from letopis.monitoring.profile.views import Profile, profile_of

TICK = 0.5
# A reader that has ended holds no fact back.
END = 2**62


@dataclass(slots=True)
class Keeping:
    """`sources` gives the ledgers that a profile reads; `engine` is the projector's."""

    views: ViewReader
    sources: Callable[[Profile], Mapping[str, Source]]
    engine: AsyncEngine
    metrics: Metrics

    async def run(self) -> None:
        """Look for new and retired monitors again and again."""
        kept: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                await self.step(kept, group)
                await asyncio.sleep(TICK)

    async def step(self, kept: dict[str, asyncio.Task[None]], group: asyncio.TaskGroup) -> None:
        """Begin what is missing among the tasks by monitor, end what is too many."""
        try:
            wanted = {one.monitor_id: one for one in await watching(self.views)}
        except Unavailable:
            # The projectors that work go on; they say themselves what they lack.
            return
        for monitor_id in kept.keys() - wanted.keys():
            kept.pop(monitor_id).cancel()
        for monitor_id in wanted.keys() - kept.keys():
            kept[monitor_id] = group.create_task(self._keep(profile_of(wanted[monitor_id])))

    async def _keep(self, profile: Profile) -> None:
        sources = self.sources(profile)
        # A projector that fails begins again by itself and leaves the others alone.
        parts = Parts(self.metrics)
        parts.add(f"view {profile.name}", Projector(profile, sources, self.engine, metrics=self.metrics).run)
        try:
            await parts.run()
        finally:
            for source in sources.values():
                source.taken(profile.name, END)


async def rebuild_profiles(
    views: ViewReader, sources: Callable[[Profile], Mapping[str, Source]], engine: AsyncEngine, monitor_id: str = ""
) -> dict[str, int]:
    """Build profiles again from the facts and make them live: of one monitor, or of all; facts by monitor."""
    wanted = [one for one in await watching(views) if monitor_id in {"", one.monitor_id}]
    if monitor_id and not wanted:
        raise NotFound(f"no monitor {monitor_id} is watching")
    told = {}
    for monitor in wanted:
        profile = profile_of(monitor)
        told[monitor.monitor_id] = await rebuild(profile, sources(profile), engine)
    return told
