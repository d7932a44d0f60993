"""The keyring against a store that is there, away, and told to destroy."""

import asyncio

import pytest

from letopis.common.running import end
from letopis.common.sealing import Keyring, KeysAway
from letopis.common.testing.sealing import MemoryKeyStore


class TestSealing:
    async def test_a_subject_keeps_its_key_and_nobody_waits_for_the_store(self):
        ring = Keyring(MemoryKeyStore(), pool=10)
        await ring.refresh()
        ring.store.away = True
        first = ring.key_for("a")
        assert ring.key_for("a") is first
        assert ring.key_for("b").id != first.id

    async def test_goes_on_without_the_store_until_the_pool_is_empty(self):
        """The stop table: while the key store is away, subjects whose key is not held are refused, others go on."""
        ring = Keyring(MemoryKeyStore(), pool=3)
        await ring.refresh()
        ring.store.away = True
        held = [ring.key_for(str(one)) for one in range(3)]
        with pytest.raises(KeysAway):
            ring.key_for("another")
        assert [ring.key_for(str(one)) for one in range(3)] == held
        ring.store.away = False
        await ring.refresh()
        assert ring.key_for("another") not in held

    async def test_the_pool_fills_itself(self):
        ring = Keyring(MemoryKeyStore(), pool=4, every=60)
        running = asyncio.create_task(ring.run())
        for one in range(40):
            while True:
                try:
                    ring.key_for(str(one))
                    break
                except KeysAway:
                    await asyncio.sleep(0)
        await end(running)
        assert len({ring.key_for(str(one)).id for one in range(40)}) == 40

    async def test_a_batch_gets_its_keys_before_it_is_sealed(self):
        ring = Keyring(MemoryKeyStore(), pool=2)
        await ring.hold([str(one) for one in range(2500)])
        assert len({ring.key_for(str(one)).id for one in range(2500)}) == 2500


class TestErasure:
    async def test_what_was_destroyed_is_dropped_and_never_held_again(self):
        store = MemoryKeyStore()
        ring = Keyring(store, pool=5)
        await ring.refresh()
        key, other = ring.key_for("a"), ring.key_for("b")
        assert (await ring.keys([key.id])) == {key.id: key}
        store.destroy("a", key.id)
        await ring.refresh()
        assert await ring.keys([key.id]) == {}
        with pytest.raises(KeysAway):
            ring.key_for("a")
        assert ring.key_for("b") is other
        # The subject came back: the store gives a key by name.
        await ring.refresh()
        assert ring.key_for("a").id != key.id

    async def test_an_answer_that_was_on_its_way_is_not_kept(self):
        class Slow(MemoryKeyStore):
            async def fetch(self, ids):
                found = await super().fetch(list(ids))
                self.destroy("a", *found)
                await ring.refresh()
                return found

        store = Slow()
        ring = Keyring(store, pool=1)
        await ring.refresh()
        key = ring.key_for("a")
        await ring.keys([key.id])
        assert await ring.keys([key.id]) == {}

    async def test_a_new_process_learns_what_was_destroyed_before_it(self):
        store = MemoryKeyStore()
        store.destroy("a")
        ring = Keyring(store, pool=5)
        await ring.refresh()
        with pytest.raises(KeysAway):
            ring.key_for("a")
