"""Readers of one ledger ask where it ends together, and are never told an end from before they asked."""

import asyncio
from itertools import pairwise

import pytest

from letopis.common.errors import Unavailable
from letopis.common.following import News, OwnLedger


class TestDoorLedger:
    async def test_those_who_ask_at_once_share_the_second_question(self, town):
        await town.tell(3)
        source = town.feed()
        assert await asyncio.gather(*(source.head() for _ in range(20))) == [3] * 20
        assert town.door.knocks == 2

    async def test_an_end_is_never_from_before_it_was_asked_for(self, town):
        source, ends = town.feed(), []

        async def asks():
            before = await town.store.head("registry")
            ends.append((before, await source.head()))

        async with asyncio.TaskGroup() as group:
            for _ in range(15):
                group.create_task(asks())
                group.create_task(asks())
                await town.tell(1)
        assert len(ends) == 30
        assert all(before <= told <= 15 for before, told in ends)
        assert any(one != other for one, other in pairwise(told for _, told in ends))

    async def test_a_question_that_fails_answers_nobody_and_is_waited_for_once(self, town):
        await town.tell(1)
        source = town.feed()
        town.door.open = False
        found = await asyncio.gather(*(source.head() for _ in range(9)), return_exceptions=True)
        assert [type(one) for one in found] == [Unavailable] * 9
        assert town.door.knocks == 2
        town.door.open = True
        assert await source.head() == 1


class TestOwnLedger:
    async def test_what_this_process_appends_is_read_at_once(self, town):
        source = OwnLedger(town.store, "registry", town.news, busy=600, quiet=600)
        assert await source.read(0, 10) == []
        await town.tell(2)
        assert [one.position for one in await source.read(0, 10)] == [1, 2]

    @pytest.mark.parametrize("sure", [True, False])
    async def test_what_another_process_appends_is_read_when_it_is_asked_for(self, town, sure):
        source = OwnLedger(town.store, "registry", News(), busy=600, quiet=600)
        assert await source.read(0, 10) == []
        await town.tell(2)
        assert len(await source.read(0, 10, sure=sure)) == (2 if sure else 0)
        await source.head()
        assert len(await source.read(0, 10)) == 2
