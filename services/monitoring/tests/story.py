"""What tests of the whole service share: the panel as decisions and outcomes, the service over PostgreSQL."""

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.clock import FixedClock
from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger, Source
from letopis.common.handling import Desk
from letopis.common.projecting import Projector, View, ViewReader
from letopis.common.sealing import Keyring, OpenedLedger
from letopis.common.testing.sample import facts
from letopis.common.testing.sealing import EndlessKeys, MemoryKeyStore, sealer
from letopis.common.testing.settling import live_views
from letopis.inference.contract import DECISIONS, DecisionMade
from letopis.monitoring.alert.reactions import Evaluation
from letopis.monitoring.alert.views import Alerts
from letopis.monitoring.monitor.decider import MONITOR, DefineMonitor
from letopis.monitoring.monitor.events import MonitorDefined, Thresholds
from letopis.monitoring.monitor.views import Monitors, Versions, watching
from letopis.monitoring.outcome.decider import OUTCOME, RecordOutcomes
from letopis.monitoring.outcome.events import Outcome
from letopis.monitoring.outcome.views import Labelled
from letopis.monitoring.profile.reference import watch
from letopis.monitoring.profile.views import profile_of

NOW = datetime(2026, 11, 21, 6, 55, tzinfo=UTC)
FEATURES = ("status", "bill", "paid", "utilisation", "limit_amount", "age", "education", "marriage")
META = Meta(actor=Actor(person="anna", login="anna"))
JOURNAL = UUID(int=1)
Columns = Mapping[str, Sequence[Any]]


def moment(month: int) -> datetime:
    return datetime(2005, month, 1, tzinfo=UTC)


def decisions(version_id: str, month: int, columns: Columns) -> list[DecisionMade]:
    """One batch decision a row; the score rises with the payment status and the utilisation."""
    rows = range(len(columns["account_id"]))
    used = [name for name in FEATURES if name in columns]
    told = []
    for row in rows:
        margin = columns["status"][row] + columns["utilisation"][row] - 2
        told.append(
            DecisionMade(
                application="credit",
                api_version="v1",
                model_id="credit-default",
                version_id=version_id,
                version_digest="ab",
                consumer="bank-app",
                entity="account_id",
                entity_id=str(columns["account_id"][row]),
                inputs={name: columns[name][row] for name in used},
                looked_up=(),
                score=1 / (1 + math.exp(-margin)),
                cutoff=0.5,
                decision="refuse" if margin >= 0 else "accept",
                reasons=None,
                decided_at=NOW,
                as_of=moment(month),
                kind="batch",
                job_id=f"j{month}",
                row=row,
            )
        )
    return told


@dataclass(kw_only=True)
class Service:
    """Monitoring without its API: facts, read models, evaluation; inference's ledger is played by memory."""

    clock: FixedClock
    desk: Desk
    inference: MemoryEventStore
    sources: Mapping[str, Source]
    views: ViewReader
    engine: AsyncEngine
    evaluation: Evaluation
    keyring: Keyring
    shipped: int = 0
    projectors: dict[str, Projector] = field(default_factory=dict)

    async def define(self, version_id: str, training: Columns, thresholds: Thresholds | None = None) -> MonitorDefined:
        command = DefineMonitor(
            model_id="credit-default",
            version_id=version_id,
            version_digest="ab",
            dataset_id="cd",
            files=("ef",),
            read="access/1",
            window_seconds=None,
            features=watch(training, {name: None for name in FEATURES if name in training}),
            thresholds=thresholds or Thresholds(),
            by="anna",
            at=self.clock.now(),
        )
        await self.desk.handle(MONITOR, version_id, command, META)
        await self.project(Monitors)
        return next(one for one in await watching(self.views) if one.version_id == version_id)

    async def decide(self, version_id: str, month: int, columns: Columns) -> None:
        told = facts(DECISIONS, *decisions(version_id, month, columns), sealer=sealer("decisions", self.keyring))
        await self.inference.append_batch("decisions", JOURNAL, self.shipped + 1, told)
        self.shipped += len(told)

    async def label(self, month: int, accounts: Sequence[int], labels: Sequence[int]) -> None:
        outcomes = tuple(
            Outcome(entity_id=str(account), as_of=moment(month), label=label, known_at=moment(month + 1))
            for account, label in zip(accounts, labels, strict=True)
        )
        command = RecordOutcomes(
            batch_id=f"labels-{month}",
            entity="account_id",
            definition="default",
            outcomes=outcomes,
            by="bank-app",
            at=self.clock.now(),
        )
        await self.desk.handle(OUTCOME, command.batch_id, command, META)

    async def watching(self) -> list[MonitorDefined]:
        return await watching(self.views)

    async def project(self, view: type[View] | View) -> None:
        """Bring a view to the end of its ledgers."""
        projector = self.projectors.get(view.name) or Projector(view, self.sources, self.engine)
        self.projectors[view.name] = projector
        while await projector.step() or not projector.live:
            pass

    async def judge(self) -> list[RowMapping]:
        """All views current, a quiet while later: what the alerts say, oldest first."""
        for monitor in await watching(self.views):
            await self.project(profile_of(monitor))
        await self.project(Labelled)
        await self.evaluation.step()
        self.clock.at += timedelta(seconds=10)
        await self.evaluation.step()
        await self.project(Alerts)
        return list(await self.views.rows(Alerts, Alerts.table.select().order_by(Alerts.table.c.position)))


@asynccontextmanager
async def opened(database: Callable[..., Any]) -> AsyncIterator[Service]:
    made = database("monitoring", live_views("monitoring", (Monitors, Versions, Alerts, Labelled)))
    engines = [
        open_engine(made.app_url, autocommit=True),
        open_engine(made.app_url),
        open_engine(made.projector_url, size=2),
    ]
    clock, news = FixedClock(NOW), News()
    store, inference = PostgresEventStore(engines[0], news.heard), MemoryEventStore(clock, news.heard)
    views, desk = ViewReader(engines[1]), Desk(store, "monitoring")
    second, keyring = timedelta(seconds=1), EndlessKeys(MemoryKeyStore())
    yield Service(
        clock=clock,
        desk=desk,
        inference=inference,
        sources={
            "monitoring": OwnLedger(store, "monitoring", news),
            "decisions": OpenedLedger(OwnLedger(inference, "decisions", news), DECISIONS, keyring),
        },
        keyring=keyring,
        views=views,
        engine=engines[2],
        evaluation=Evaluation(
            views=views,
            desk=desk,
            clock=clock,
            quiet=5 * second,
            every=60 * second,
            known=lambda: news.last("decisions"),
        ),
    )
    for engine in engines:
        await engine.dispose()
