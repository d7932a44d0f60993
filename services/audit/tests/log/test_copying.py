"""Copying: what follows is taken, what is known must be the same, everything else is an incident."""

from dataclasses import replace

import pytest

from letopis.audit.log.copying import Copier, CopyRefused
from letopis.common.leaf import leaf_hash


@pytest.fixture
def copier(copies):
    return Copier("decisions", copies)


def announced(records):
    return {record.position: leaf_hash(record) for record in records}


class TestTake:
    async def test_copies_what_follows(self, copier, copies, kit):
        records = kit.decisions(10)
        assert await copier.take(records[:4], announced(records)) == 4
        assert await copier.take(records[4:], {}) == 10
        assert await copies.read("decisions", 0, 100) == records

    async def test_takes_the_same_again_without_harm(self, copier, copies, kit):
        records = kit.decisions(10)
        await copier.take(records[:6], {})
        assert await copier.take(records[:4], {}) == 6
        assert await copier.take(records[3:], announced(records)) == 10
        assert await copies.read("decisions", 0, 100) == records

    async def test_of_another_telling_is_refused(self, copier, copies, kit):
        """Row: a fact that its owner changed after we copied it is named."""
        records = kit.decisions(10)
        await copier.take(records, {})
        changed = [*records[:6], replace(records[6], data=b'{"score":1}'), *records[7:]]
        with pytest.raises(CopyRefused) as refused:
            await copier.take(changed, {})
        assert (refused.value.kind, refused.value.position) == ("rewritten", 7)
        assert await copies.read("decisions", 0, 100) == records

    async def test_over_a_hole_is_refused(self, copier, copies, kit):
        records = kit.decisions(10)
        with pytest.raises(CopyRefused) as refused:
            await copier.take([*records[:4], *records[5:]], {})
        assert (refused.value.kind, refused.value.position) == ("hole", 5)
        assert await copies.head("decisions") == 0

    async def test_of_another_ledger_is_refused(self, copier, kit):
        with pytest.raises(CopyRefused):
            await copier.take(kit.registry(), {})

    async def test_with_a_leaf_that_was_not_announced_is_refused(self, copier, copies, kit):
        records = kit.decisions(10)
        told = announced(records) | {8: bytes(32)}
        with pytest.raises(CopyRefused) as refused:
            await copier.take(records, told)
        assert (refused.value.kind, refused.value.position) == ("leaf", 8)
        assert await copies.head("decisions") == 0
