"""Which revision counts: the one started with, the one published since, and for a moment the one before it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from letopis.common.clock import FixedClock
from letopis.common.envelope import time_text
from letopis.common.errors import Unavailable
from letopis.common.policy import in_force
from letopis.common.policy.in_force import GRACE, InForce, PolicyInForceView

NOW = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)


class Views:
    """Answers with the rows it was given; counts who asks."""

    def __init__(self):
        self.row, self.away, self.asked = None, False, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def rows(self, _view, _statement):
        self.asked += 1
        await self.gate.wait()
        if self.away:
            raise Unavailable("the database is away")
        return [] if self.row is None else [self.row]


def released(revision, follows, base="base", at=NOW):
    return {"revision": revision, "follows": follows, "base": base, "published_at": time_text(at)}


@pytest.fixture
def views():
    return Views()


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
async def counting(views, clock, monkeypatch):
    monkeypatch.setattr(in_force, "EVERY", 0.0)
    made = InForce(views, PolicyInForceView, clock, "base", "first")
    yield made
    await made.close()


async def settled(counting, revision):
    """Whether it counts once the view has answered."""
    await counting.counts(revision)
    return await counting.counts(revision)


class TestCounts:
    async def test_the_one_started_with_until_another_is_published(self, counting, views, clock):
        assert await settled(counting, "first")
        assert not await settled(counting, "second")
        views.row = released("second", "first")
        assert await settled(counting, "second")
        assert await settled(counting, "first"), "the engine may still be loading"
        clock.at = NOW + GRACE + timedelta(seconds=1)
        assert not await settled(counting, "first"), "an engine that does not follow denies"
        assert await settled(counting, "second")

    async def test_a_release_over_other_rooms_does_not_count(self, counting, views):
        views.row = released("second", "first", base="other rooms")
        assert await settled(counting, "first")
        assert not await settled(counting, "second")

    async def test_an_older_release_never_counts(self, counting, views):
        views.row = released("third", "second")
        assert await settled(counting, "third")
        assert not await settled(counting, "first")

    async def test_a_view_that_is_away_changes_nothing(self, counting, views):
        views.row = released("second", "first")
        assert await settled(counting, "second")
        views.away = True
        assert await settled(counting, "second")
        assert not await settled(counting, "third")

    async def test_a_view_that_hangs_holds_nobody_up_who_is_known(self, counting, views):
        views.gate.clear()
        assert await counting.counts("first")
        assert not await counting.counts("second")
        assert views.asked == 1, "one question on its way is enough"
        views.row = released("second", "first")
        views.gate.set()
        assert await settled(counting, "second")
