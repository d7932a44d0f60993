"""Parts of a process: one that fails begins again and leaves the others alone."""

import asyncio

import pytest

from letopis.common import running
from letopis.common.errors import Unavailable
from letopis.common.observability import Metrics
from letopis.common.running import Parts, end


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(running, "FIRST_PAUSE", 0.001)


class TestParts:
    async def test_a_failing_part_begins_again_and_says_why(self, quick):
        began, enough, steady = [], asyncio.Event(), []

        async def failing():
            began.append(1)
            if len(began) > 2:
                enough.set()
                await asyncio.Event().wait()
            raise Unavailable("the bus is away")

        async def good():
            steady.append(1)
            await asyncio.Event().wait()

        parts = Parts(Metrics("test"))
        parts.add("failing", failing)
        parts.add("good", good)
        task = asyncio.create_task(parts.run())
        await enough.wait()
        told = parts.health()
        assert told["failing"] == {"state": "working", "restarts": 2, "error": "unavailable: the bus is away"}
        assert told["good"] == {"state": "working", "restarts": 0, "error": ""}
        assert steady == [1]
        await end(task)

    async def test_a_part_that_simply_ends_begins_again(self, quick):
        began, enough = [], asyncio.Event()

        async def ending():
            began.append(1)
            if len(began) == 3:
                enough.set()
                await asyncio.Event().wait()

        parts = Parts(Metrics("test"))
        parts.add("ending", ending)
        task = asyncio.create_task(parts.run())
        await enough.wait()
        assert parts.health()["ending"]["restarts"] == 2
        await end(task)

    async def test_ends_although_a_part_loses_the_first_cancellation(self, monkeypatch):
        """As asyncio.wait_for does before Python 3.12 when the result comes at the same moment."""
        monkeypatch.setattr(running, "INSIST", 0.001)
        heard, began = [], asyncio.Event()

        async def deaf():
            began.set()
            while len(heard) < 2:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    heard.append(1)
            await asyncio.Event().wait()

        parts = Parts(Metrics("test"))
        parts.add("deaf", deaf)
        task = asyncio.create_task(parts.run())
        await began.wait()
        await end(task)
        assert task.cancelled()
        assert len(heard) == 2
