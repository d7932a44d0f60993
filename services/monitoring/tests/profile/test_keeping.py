"""A projector for each monitor: begun, ended, rebuilt."""

import asyncio
from typing import Any

import pytest

from letopis.common.envelope import Actor, Meta
from letopis.common.errors import NotFound
from letopis.common.observability import Metrics
from letopis.monitoring.monitor.decider import MONITOR, RetireMonitor
from letopis.monitoring.monitor.views import Monitors
from letopis.monitoring.profile.keeping import Keeping, rebuild_profiles
from letopis.monitoring.profile.views import profile_of, sizes


class TestKeeping:
    async def test_begins_with_a_monitor_and_ends_with_it(self, service: Any, months: Any) -> None:
        few = {name: values[:100] for name, values in months[4].items()}
        keeping = Keeping(service.views, lambda _: service.sources, service.engine, Metrics("monitoring"))
        kept: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            # No view is built yet: nothing to do, and no failure.
            await keeping.step(kept, group)
            assert not kept
            monitor = await service.define("credit-default.1", few)
            await keeping.step(kept, group)
            await service.decide("credit-default.1", 5, few)
            await service.views.wait(profile_of(monitor), {"decisions": 100}, 20)
            assert list((await sizes(service.views, profile_of(monitor))).values()) == [100]
            retire = RetireMonitor(reason="replaced", by="boris", at=service.clock.now())
            await service.desk.handle(MONITOR, "credit-default.1", retire, Meta(actor=Actor(person="boris")))
            await service.project(Monitors)
            ended = kept["credit-default.1"]
            await keeping.step(kept, group)
            assert not kept
        assert ended.cancelled()


class TestRebuild:
    async def test_names_what_there_is(self, service: Any, months: Any) -> None:
        few = {name: values[:100] for name, values in months[4].items()}
        monitor = await service.define("credit-default.1", few)
        await service.decide("credit-default.1", 5, few)
        rebuilt = await rebuild_profiles(service.views, lambda _: service.sources, service.engine)
        assert rebuilt == {"credit-default.1": 100}
        assert list((await sizes(service.views, profile_of(monitor))).values()) == [100]
        with pytest.raises(NotFound):
            await rebuild_profiles(service.views, lambda _: service.sources, service.engine, "nothing.1")
