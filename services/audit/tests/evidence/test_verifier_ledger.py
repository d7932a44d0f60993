"""A live ledger against the hashes that were sealed: every kind of change is named by its position."""

from dataclasses import replace

import pytest

from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.ledger import Row, differing, root_over, sealed
from letopis.audit.evidence.verifier.note import Head
from letopis.audit.log.merkle import root_of
from letopis.common.envelope import record_to_json
from letopis.common.leaf import leaf_hash


@pytest.fixture
def stored(kit):
    return kit.decisions(20)


def rows(records):
    return [Row(record_to_json(replace(one, data=b"", meta=b"")), one.data, one.meta) for one in records]


def named(records, hashes):
    return [str(fault) for fault in differing("decisions", rows(records), hashes)]


class TestDiffering:
    def test_is_nothing_for_what_was_sealed(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        assert named(stored, hashes) == []
        assert named(stored, hashes[:15]) == []

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: replace(one, data=one.data.replace(b"1", b"2")),
            lambda one: replace(one, data=b"\xff\xfe"),
            lambda one: replace(one, meta=b"{}"),
            lambda one: replace(one, salt=bytes(16)),
            lambda one: replace(one, type="decisions.decision.unmade"),
            lambda one: replace(one, type="a b"),
            lambda one: replace(one, prev=3),
            lambda one: replace(one, recorded_at=one.recorded_at.replace(microsecond=1)),
            lambda one: replace(one, command_id=None),
        ],
    )
    def test_names_a_changed_field(self, stored, change):
        hashes = [leaf_hash(one) for one in stored]
        stored[9] = change(stored[9])
        assert [one.split(":")[0] for one in named(stored, hashes)] == ["decisions/10"]

    def test_names_what_was_deleted(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        assert named([*stored[:4], *stored[6:]], hashes) == ["decisions/5: is missing", "decisions/6: is missing"]

    def test_names_a_tail_cut_off(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        assert named(stored[:18], hashes) == ["decisions/19: is missing", "decisions/20: is missing"]

    def test_names_two_that_were_swapped(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        stored[2], stored[7] = (
            replace(stored[7], position=3),
            replace(stored[2], position=8),
        )
        assert [one.split(":")[0] for one in named(stored, hashes)] == ["decisions/3", "decisions/8"]

    def test_names_what_was_inserted(self, stored):
        """Everything behind it moved on by one."""
        hashes = [leaf_hash(one) for one in stored]
        moved = [replace(one, position=one.position + 1) for one in stored[11:]]
        told = named([*stored[:12], *moved], hashes)
        assert told[0] == "decisions/13: is not the fact that was sealed"

    def test_names_a_position_that_stands_twice(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        assert named([*stored[:5], *stored[4:]], hashes) == ["decisions/5: stands twice"]


class TestSealed:
    def test_hashes_must_lead_to_the_checkpoint(self, stored):
        hashes = [leaf_hash(one) for one in stored]
        head = Head("log", 17, root_of(hashes[:17]))
        tile = b"".join(hashes)
        assert sealed([tile], head) == hashes[:17]
        assert sealed([tile[:320], tile[320:]], head) == hashes[:17]
        for wrong in ([tile[:-320]], [tile[:-1]], [tile[32:]], [tile[:100] + b"x" + tile[101:]]):
            with pytest.raises(Bad):
                sealed(wrong, head)


class TestRoot:
    def test_of_the_stored_facts_is_the_sealed_one(self, stored):
        assert root_over("decisions", rows(stored), 17) == root_of(leaf_hash(one) for one in stored[:17])

    def test_needs_all_of_them(self, stored):
        for left in ([*stored[:4], *stored[5:]], stored[:4]):
            with pytest.raises(Bad) as bad:
                root_over("decisions", rows(left), 17)
            assert bad.value.place == "decisions/5"
