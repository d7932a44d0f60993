"""Evaluation: a clock that looks at what changed, judges it, and tells the alerts.

Nothing is remembered beyond this process: after a restart all buckets are judged again, and alerts that were told
before are not told twice (alert/decider.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Unavailable
from letopis.common.handling import Desk
from letopis.common.projecting import ViewReader
from letopis.monitoring.alert.decider import ALERT, RaiseAlert, alert_id
from letopis.monitoring.alert.events import Finding
from letopis.monitoring.monitor.events import MonitorDefined
from letopis.monitoring.monitor.views import watching
from letopis.monitoring.outcome.views import Labelled, cohorts
from letopis.monitoring.profile.views import Profile, buckets, profile_of, sizes

TICK = 0.5
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Settling:
    """Says when something that changes is due to be judged: once it is quiet, or now and then while it is not."""

    quiet: timedelta
    every: timedelta
    _seen: dict[Hashable, tuple[object, datetime]] = field(default_factory=dict)
    _judged: dict[Hashable, tuple[object, datetime]] = field(default_factory=dict)

    def due(self, key: Hashable, content: object, now: datetime, *, moving: bool = False) -> bool:
        """Whether to judge `key`, whose content is this now; `judged` must be told when that is done.

        `moving` says that more is known to come, so what looks quiet is not.
        """
        before, since = self._seen.get(key, (None, now))
        if key not in self._seen or before != content or moving:
            since = now
            self._seen[key] = (content, now)
        done, at = self._judged.get(key, (None, datetime.min.replace(tzinfo=now.tzinfo)))
        if key in self._judged and done == content:
            return False
        if key not in self._judged:
            # What was never judged begins its interval when it is first seen.
            self._judged[key] = (None, now)
            at = now
        return now - since >= self.quiet or now - at >= self.every

    def last(self, key: Hashable) -> object:
        """The content that was judged last, None if nothing was."""
        return self._judged.get(key, (None, None))[0]

    def judged(self, key: Hashable, content: object, now: datetime) -> None:
        self._judged[key] = (content, now)


@dataclass(slots=True)
class Evaluation:
    """The reaction of one process; several at once are harmless, since alerts are decided on their streams.

    `known` tells the last position of the decisions ledger that this process heard of.
    """

    views: ViewReader
    desk: Desk
    clock: Clock
    quiet: timedelta
    every: timedelta
    known: Callable[[], int]
    _settling: Settling = field(init=False)
    _profiles: dict[str, Profile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._settling = Settling(self.quiet, self.every)

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.step()
            except Unavailable as error:
                # The list of monitors is still being built, or the database is away.
                _log.info("nothing can be judged now", extra={"why": error.detail})
            await asyncio.sleep(TICK)

    async def step(self) -> int:
        """Judge what is due; how many facts of alerts that made."""
        told = 0
        for monitor in await watching(self.views):
            for judge in (self._profile, self._quality):
                try:
                    told += await judge(monitor)
                except Unavailable as error:
                    # Its view is still being built; others go on, this one is looked at again.
                    _log.info("not judged yet", extra={"monitor": monitor.monitor_id, "why": error.detail})
        return told

    async def _profile(self, monitor: MonitorDefined) -> int:
        # Bins never change, so the view of a monitor is made once.
        if (profile := self._profiles.get(monitor.monitor_id)) is None:
            profile = self._profiles[monitor.monitor_id] = profile_of(monitor)
        reached = (await self.views.positions(profile)).get("decisions", 0)
        return await self._if_due(
            ("profile", monitor.monitor_id, monitor.thresholds),
            await sizes(self.views, profile),
            lambda: self._judge_profile(monitor, profile),
            moving=reached < self.known(),
        )

    async def _quality(self, monitor: MonitorDefined) -> int:
        reached = await self.views.positions(Labelled)
        return await self._if_due(
            ("quality", monitor.monitor_id, monitor.thresholds),
            reached,
            lambda: self._judge_quality(monitor),
            moving=reached.get("decisions", 0) < self.known(),
        )

    async def _if_due(
        self, key: Hashable, content: object, judge: Callable[[], Awaitable[int]], *, moving: bool
    ) -> int:
        now = self.clock.now()
        if not content or not self._settling.due(key, content, now, moving=moving):
            return 0
        told = await judge()
        self._settling.judged(key, content, now)
        return told

    async def _judge_profile(self, monitor: MonitorDefined, profile: Profile) -> int:
        from letopis.monitoring.alert.evaluation import bucket_findings

        key = ("profile", monitor.monitor_id, monitor.thresholds)
        before = self._settling.last(key)
        known = before if isinstance(before, dict) else {}
        told, previous, changed = 0, None, False
        for bucket in await buckets(self.views, profile):
            # A bucket is compared with the one before it, so a change there is a change here.
            same = known.get(bucket.start) == bucket.rows + bucket.refused
            if changed or not same:
                found = await asyncio.to_thread(bucket_findings, monitor, previous, bucket)
                told += await self._tell(monitor, found)
            changed, previous = not same, bucket
        return told

    async def _judge_quality(self, monitor: MonitorDefined) -> int:
        from letopis.monitoring.alert.evaluation import quality_findings

        found = quality_findings(monitor, await cohorts(self.views, monitor, self.clock.now()))
        return await self._tell(monitor, found)

    async def _tell(self, monitor: MonitorDefined, findings: tuple[Finding, ...]) -> int:
        told = 0
        for finding in findings:
            command = RaiseAlert(
                model_id=monitor.model_id, version_id=monitor.version_id, finding=finding, at=self.clock.now()
            )
            meta = Meta(actor=Actor(service="monitoring"), purpose="model_monitoring")
            handled = await self.desk.handle(ALERT, alert_id(monitor.version_id, finding), command, meta)
            told += len(handled.records)
        return told
