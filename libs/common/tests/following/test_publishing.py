"""Putting messages onto a stream: all of a batch or none, right after the sequence that was named."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common import faults, publishing
from letopis.common.publishing import Message, OutOfStep, publish


def messages(first, last):
    return [Message("letopis.registry.account.deposited", f"registry:{n}", b"%d" % n) for n in range(first, last + 1)]


async def bodies(town):
    state = (await town.root.stream_info("LEDGER_registry")).state
    found = [await town.root.get_msg("LEDGER_registry", seq=n) for n in range(1, state.last_seq + 1)]
    return [(int(one.headers["Nats-Msg-Id"].partition(":")[2]), int(one.data)) for one in found]


class TestPublish:
    async def test_puts_one_several_and_more_than_a_batch_takes_in_order(self, town, monkeypatch):
        monkeypatch.setattr(publishing, "MOST_MESSAGES", 7)
        client = await town.bus("registry").client()
        assert await publish(client, [], 0) == 0
        assert await publish(client, messages(1, 1), 0) == 1
        assert await publish(client, messages(2, 24), 1) == 24
        assert await bodies(town) == [(n, n) for n in range(1, 25)]

    async def test_puts_nothing_where_the_stream_stands_elsewhere(self, town):
        client = await town.bus("registry").client()
        await publish(client, messages(1, 5), 0)
        for stale in (0, 4, 6):
            with pytest.raises(OutOfStep):
                await publish(client, messages(6, 9), stale)
            with pytest.raises(OutOfStep):
                await publish(client, messages(6, 6), stale)
        assert len(await bodies(town)) == 5

    async def test_two_publishers_at_once_put_everything_once(self, town):
        clients = [await town.bus("registry").client() for _ in range(2)]
        done = await asyncio.gather(*(publish(one, messages(1, 40), 0) for one in clients), return_exceptions=True)
        assert 40 in done
        assert sum(isinstance(one, OutOfStep) for one in done) == 1
        assert await bodies(town) == [(n, n) for n in range(1, 41)]

    async def test_half_a_batch_is_nothing(self, town, monkeypatch):
        """Its sender died in the midst: what was staged is never seen, and whoever comes next is not held up."""
        left = 3

        def strike(name):
            nonlocal left
            left -= name == "publishing.staged"
            if not left:
                raise ConnectionResetError

        monkeypatch.setattr(faults, "point", strike)
        client = await town.bus("registry").client()
        with pytest.raises(ConnectionResetError):
            await publish(client, messages(1, 9), 0)
        assert await bodies(town) == []
        assert await publish(client, messages(1, 9), 0) == 9
        assert await bodies(town) == [(n, n) for n in range(1, 10)]


class TestParts:
    @given(st.lists(st.integers(0, 75), max_size=60))
    def test_no_part_is_too_large_and_none_is_cut_needlessly(self, sizes):
        told = [Message("s", str(n), bytes(size)) for n, size in enumerate(sizes)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(publishing, "MOST_BYTES", 100)
            patch.setattr(publishing, "MOST_MESSAGES", 5)
            parts = list(publishing._parts(told))
        assert [one for part in parts for one in part] == told
        for part, after in zip(parts, [*parts[1:], None], strict=False):
            size = sum(len(one.body) for one in part)
            assert 0 < len(part) <= 5
            assert size <= 100
            assert after is None or len(part) == 5 or size + len(after[0].body) > 100
