"""Which revision of policy counts here: the one this process was started with, or the one published since.

A release is a fact of the registry; every service projects it. The engine has the new bundle a moment later, so the
revision before it counts on for a short while, and then no longer: an engine that does not follow denies everything.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, select

from letopis.common.clock import Clock
from letopis.common.envelope import time_of, time_text
from letopis.common.errors import LetopisError
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.common.running import end

PUBLISHED = "registry.policy_release.published"
# How long the engine may take to load a bundle that was published.
GRACE = timedelta(seconds=30)
# How often the view is asked for something new.
EVERY = 1.0
# How long a question waits to learn of a revision that it has not heard of.
PATIENCE = 0.25


class PolicyInForceView(View):
    """One row: the last published release. A service makes it its own by naming the catalogue in `sources`."""

    name = "policy_in_force"
    version = 1
    metadata = MetaData()
    table = Table(
        "policy_in_force",
        metadata,
        Column("key", Text, primary_key=True),
        Column("release_id", Text, nullable=False),
        Column("revision", Text, nullable=False),
        Column("base", Text, nullable=False),
        Column("follows", Text, nullable=False),
        Column("published_at", Text, nullable=False),
    )

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, ("policy",))] if told.record.type == PUBLISHED else []

    def project(self, rows: Rows, told: Told) -> None:
        if told.record.type == PUBLISHED:
            fact = told.fact
            rows[self.table, ("policy",)] = {
                "key": "policy",
                "release_id": fact.release_id,
                "revision": fact.revision,
                "base": fact.base,
                "follows": fact.follows,
                "published_at": time_text(told.record.recorded_at),
            }


class InForce:
    """Says of a revision that an engine answered with whether it counts now.

    `base` is the revision of what the rooms wrote, `revision` that of the bundle this process was started with; both
    are "" where an engine is given from outside and its owner answers for it.
    """

    def __init__(
        self, views: ViewReader, view: type[PolicyInForceView], clock: Clock, base: str, revision: str
    ) -> None:
        self._views, self._view, self._clock = views, view, clock
        self._base, self._revision = base, revision
        self._due = float("-inf")
        self._release: Any = None
        self._asking: asyncio.Task[None] | None = None

    async def counts(self, revision: str) -> bool:
        """Whether an answer of this revision is one of the policy in force; waits for the view a moment at most."""
        if self._asking is None and (monotonic() >= self._due or not self._known(revision)):
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None and not self._known(revision):
            await asyncio.wait({self._asking}, timeout=PATIENCE)
        return self._known(revision)

    async def close(self) -> None:
        """Stop looking."""
        if self._asking is not None:
            await end(self._asking)

    def _known(self, revision: str) -> bool:
        release = self._release
        if release is None or release["base"] != self._base:
            return self._revision in {"", revision}
        if revision == release["revision"]:
            return True
        published: datetime = time_of(release["published_at"])
        return bool(revision == release["follows"]) and self._clock.now() < published + GRACE

    async def _ask(self) -> None:
        try:
            rows = await self._views.rows(self._view, select(self._view.table))
            self._release = rows[0] if rows else None
        except LetopisError:
            # The database is away: what was known last holds, as far as anything goes on without it.
            pass
        finally:
            self._due, self._asking = monotonic() + EVERY, None
