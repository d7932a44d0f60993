"""Two processes of one service: the worker hears of the API's appends long before it would poll."""

import asyncio

from letopis.common.following import News, OwnLedger, hints


class TestHints:
    async def test_wake_the_other_process(self, town):
        api, worker = town.news, News()
        source = OwnLedger(town.store, "registry", worker, busy=600, quiet=600)
        await source.head()
        ears = town.bus("registry")
        async with town.working(
            lambda: hints.tell(town.bus("registry"), api, "registry"), lambda: hints.listen(ears, source)
        ):
            # A hint before the other listens is lost, and nothing but time with it.
            last = 0
            async with asyncio.timeout(60):
                while source.known < max(last, 1):
                    last = await town.tell(1)
                    await worker.after("registry", last - 1, 0.5)
            assert source.known == await town.store.head("registry")

    async def test_are_not_believed(self, town):
        source = OwnLedger(town.store, "registry", News(), busy=600, quiet=600)
        bus = town.bus("registry")
        client = await bus.client()
        await town.tell(2)
        async with town.working(lambda: hints.listen(bus, source)):
            async with asyncio.timeout(60):
                while source.known == 0:
                    await client.publish(hints.subject("registry"), b"no number")
                    await client.publish(hints.subject("registry"), b"1000")
                    await client.flush()
                    await source._news.after("registry", 0, 0.2)
            assert source.known == 2
