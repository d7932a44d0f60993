"""Where a service's worker stands: its ledgers and those it follows, and the parts that run on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.eventstore.partitions import keep_ahead, open_ahead
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger, Source, hints
from letopis.common.following.door import DoorLedger
from letopis.common.following.feed import LedgerFeed
from letopis.common.handling import Desk
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.messaging import Bus
from letopis.common.mutual_tls import client_context
from letopis.common.observability import Metrics
from letopis.common.outbox import Relay
from letopis.common.projecting import Projector, View
from letopis.common.reacting import Reaction, Reactor
from letopis.common.replaying.progress import ProgressBook
from letopis.common.replaying.reactions import Replayer
from letopis.common.running import Parts
from letopis.common.settings import ServiceSettings

if TYPE_CHECKING:
    from letopis.common.jobs import Jobs


@dataclass(slots=True, kw_only=True)
class Workshop:
    """Sources are made once and shared by all parts that read the same ledger."""

    name: str
    settings: ServiceSettings
    news: News
    metrics: Metrics
    store: PostgresEventStore
    facts_engine: AsyncEngine
    app_engine: AsyncEngine
    projector_engine: AsyncEngine
    http: httpx.AsyncClient
    tokens: ServiceTokens
    bus: Bus
    owns: Sequence[str]
    follows: Mapping[str, str]
    parts: Parts
    made: dict[str, Source] = field(default_factory=dict)
    jobs: "Jobs | None" = None

    @classmethod
    def of(
        cls,
        name: str,
        settings: ServiceSettings,
        news: News,
        metrics: Metrics,
        owns: Sequence[str],
        follows: Mapping[str, str],
    ) -> "Workshop":
        """Engines and clients are opened on first use."""
        if settings.client_secret_file is None:
            raise ValueError(f"LETOPIS_{name.upper()}_CLIENT_SECRET_FILE must name the service's secret")
        http = httpx.AsyncClient(timeout=10, trust_env=False, verify=client_context(settings))
        facts = open_engine(settings.database_url, name=f"letopis-{name}-worker", size=2, autocommit=True)
        return cls(
            name=name,
            settings=settings,
            news=news,
            metrics=metrics,
            store=PostgresEventStore(facts, news.heard, archive=settings.object_store_url),
            facts_engine=facts,
            app_engine=open_engine(settings.database_url, name=f"letopis-{name}-parts", size=len(owns) + 2),
            projector_engine=open_engine(settings.projector_url, name=f"letopis-{name}-projector", size=2),
            http=http,
            tokens=ServiceTokens(
                settings.oidc_issuer, f"service:{name}", settings.client_secret_file, http, SystemClock()
            ),
            bus=Bus(settings.nats_url, name, settings.nats_seed_file),
            owns=owns,
            follows=follows,
            parts=Parts(metrics),
        )

    def source(self, ledger: str) -> Source:
        """The ledger, own or followed."""
        if ledger not in self.made:
            if ledger in self.owns:
                own = self.made[ledger] = OwnLedger(self.store, ledger, self.news)
                self.parts.add(f"hints {ledger}", partial(hints.listen, self.bus, own))
            else:
                owner = self.settings.url_of(self.follows[ledger])
                door = DoorLedger(self.http, self.tokens, owner, ledger, self.news)
                feed = LedgerFeed(door, self.bus, self.news, f"{self.name}_{ledger}", metrics=self.metrics)
                self.parts.add(f"feed {ledger}", feed.run)
                self.made[ledger] = feed
        return self.made[ledger]

    def sources(self, view: View | type[View] | Reaction | Iterable[str]) -> dict[str, Source]:
        """All ledgers that a view or reaction reads."""
        ledgers: Iterable[str] = getattr(view, "sources", view)  # type: ignore[arg-type]
        return {ledger: self.source(ledger) for ledger in ledgers}

    def project(self, view: View | type[View]) -> None:
        """A part that keeps a view current."""
        projector = Projector(view, self.sources(view), self.projector_engine, metrics=self.metrics)
        self.parts.add(f"view {view.name}", projector.run)

    def react(self, reaction: Reaction) -> None:
        """A part that reacts to facts."""
        reactor = Reactor(reaction, self.sources(reaction), self.app_engine, self.metrics)
        self.parts.add(f"reaction {reaction.name}", reactor.run)

    def relay(self, ledger: str, *, telemetry: bool = False) -> None:
        """A part that publishes one of the service's ledgers."""
        relay = Relay(self.source(ledger), self.bus, self.app_engine, SystemClock(), self.metrics, telemetry)
        self.parts.add(f"relay {ledger}", relay.run)

    def replay(self) -> None:
        """A part that tells facts of the service's ledgers once more to who may ask for that."""
        sources = {ledger: self.source(ledger) for ledger in self.owns}
        desk, progress = Desk(self.store, self.owns[0]), ProgressBook(self.app_engine)
        self.react(Replayer(desk=desk, sources=sources, bus=self.bus, progress=progress).reaction())

    def partition(self) -> None:
        """A part that makes partitions before they are needed."""
        self.parts.add("partitions", partial(keep_ahead, partial(open_ahead, self.facts_engine)))

    def hint(self, ledger: str) -> None:
        """A part that tells the worker's process at once what this one appends."""
        self.parts.add(f"hints {ledger}", partial(hints.tell, self.bus, self.news, ledger))

    def employ(self, jobs: "Jobs") -> None:
        """Reactions may enqueue these jobs; how many wait and how many are dead shows in the metrics."""
        self.jobs = jobs
        self.parts.add("job counts", partial(jobs.watch, self.metrics))

    async def enqueue(self, name: str, *ids: str | int) -> str:
        """For reactions: enqueue a job of this service; Unavailable while Valkey is away, so they are told again."""
        if self.jobs is None:
            raise ValueError(f"{self.name} declares no jobs")
        return await self.jobs.enqueue(name, *ids)

    async def run(self) -> None:
        """Work until cancelled, then close what was opened."""
        try:
            await self.parts.run()
        finally:
            await self.close()

    def health(self) -> dict[str, Any]:
        return self.parts.health()

    async def close(self) -> None:
        await self.bus.close()
        if self.jobs is not None:
            self.jobs.close()
        await self.http.aclose()
        for engine in (self.facts_engine, self.app_engine, self.projector_engine):
            await engine.dispose()
