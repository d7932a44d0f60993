"""The web application of inference: routers listed by hand, journal and deployments opened for its life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI

from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Unavailable
from letopis.common.following import News
from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.mutual_tls import client_context
from letopis.common.objects import ObjectStore
from letopis.common.observability import Metrics
from letopis.common.parked.api import parked_doors
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.policy.lease import Leases
from letopis.common.replaying.api import replay_doors
from letopis.common.running import Parts, end
from letopis.common.sealing import Sealer
from letopis.common.sealing.keyring import POOL
from letopis.inference.contract import PUBLISHED
from letopis.inference.decision.api import router as decision
from letopis.inference.decision.checkpoint import CheckpointKey, SignedHead
from letopis.inference.decision.journal import Journal, Limits
from letopis.inference.decision.recovery import Left, recover
from letopis.inference.decision.shipper import Shipper
from letopis.inference.deployment.api import router as deployment
from letopis.inference.deployment.keys import RegistryKeys
from letopis.inference.deployment.loading import Loader
from letopis.inference.job.api import router as job
from letopis.inference.job.runner import JobRunner
from letopis.inference.rescoring.api import router as rescoring
from letopis.inference.reveal.api import router as reveal
from letopis.inference.scoring.api import router as scoring
from letopis.inference.scoring.book import JournalBook
from letopis.inference.scoring.callers import Callers
from letopis.inference.scoring.desk import Key, ScoringDesk
from letopis.inference.scoring.front import ScoringFront
from letopis.inference.scoring.lookup import OnlineFeatures
from letopis.inference.scoring.serving import Serving
from letopis.inference.settings import InferenceSettings
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE

NAME = "inference"
LEDGERS = ("inference", "decisions")
OURSELVES = Meta(actor=Actor(service=NAME))


class Directory(DirectoryView):
    """People and consumers, as the registry's facts tell them."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class InferenceResources(Resources):
    """What inference holds beside what every service holds. `peers` calls other services in our own name."""

    news: News
    peers: httpx.AsyncClient
    objects: ObjectStore
    brought: ObjectStore
    journal: Journal
    shipper: Shipper
    serving: Serving
    leases: Leases[Key]
    callers: Callers
    scoring: ScoringDesk
    jobs: JobRunner


def create_app(settings: InferenceSettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; `app.state.resources` are InferenceResources once it has started.

    `heard` is told of every append of this process.
    """
    metrics = Metrics(NAME)
    app = create_service(
        "Letopis inference",
        NAME,
        settings,
        [
            scoring,
            deployment,
            decision,
            reveal,
            rescoring,
            job,
            ledger_door(NAME, LEDGERS),
            replay_doors(NAME, LEDGERS),
            parked_doors(NAME),
        ],
        lambda: opened(settings, metrics, heard),
        metrics=metrics,
        facts=PUBLISHED,
        telemetry={"decisions"},
    )
    app.add_middleware(ScoringFront, owner=app, metrics=metrics)
    return app


@asynccontextmanager
async def opened(
    settings: InferenceSettings, metrics: Metrics, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[InferenceResources]:
    """Everything the process holds, opened in order and closed in reverse.

    What scoring rests on works in every process that scores, whether it has a worker beside it or not.
    """
    news = News()

    def told(ledger: str, last: int) -> None:
        news.heard(ledger, last)
        if heard is not None:
            heard(ledger, last)

    async with (
        open_resources(settings, NAME, Directory, heard=told, releases=PolicyInForce, keys=POOL) as base,
        httpx.AsyncClient(
            auth=_tokens(settings, base), timeout=10, trust_env=False, verify=client_context(settings)
        ) as peers,
    ):
        folder = settings.state_dir / "journal"
        left = _left(folder)
        journal = Journal(folder, durability=settings.journal, limits=Limits(disk_share=settings.disk_share))
        try:
            await journal.open(left[-1].previous() if left else None, OURSELVES)
            resources = _assembled(settings, base, journal, left, news, peers)
            # With the database away nothing is served yet; the follower goes on trying.
            with suppress(Unavailable):
                await resources.serving.catch_up()
            working = asyncio.create_task(_parts(resources, metrics).run())
            try:
                yield resources
            finally:
                await end(working)
        finally:
            journal.close()


def _assembled(
    settings: InferenceSettings,
    base: Resources,
    journal: Journal,
    left: list[Left],
    news: News,
    peers: httpx.AsyncClient,
) -> InferenceResources:
    objects = ObjectStore(settings.object_store_url)
    keys = RegistryKeys(base.http, settings.registry_url, settings.registry_public_key_file)
    features = OnlineFeatures(peers, settings.features_url)
    pinned = None if settings.profile == "bank" else settings.state_dir / "audit_log.key"
    head = SignedHead(base.http, settings.audit_url, _checkpoint_key(settings.audit_key_file), pinned)
    shipper = Shipper(journal, left, base.store, head.size, OURSELVES)
    leases: Leases[Key] = Leases(base.policy, base.clock, JournalBook(journal))
    serving = Serving(
        base.store,
        Loader(base.views, keys, objects),
        news,
        changed=lambda application, version: drop(leases, lambda key: key[1:3] == (application, version)),
    )
    callers = Callers(base.directory, lambda login: drop(leases, lambda key: key[0] == login))
    sealer = Sealer(base.keyring, "decisions")
    brought = ObjectStore(f"{settings.object_store_url.rstrip('/')}/brought")
    jobs = JobRunner(
        base.desk, base.store, journal, serving, features, objects, brought, base.clock, sealer, shipper.caught_up
    )
    serving.hearers.append(jobs.hear)
    return InferenceResources(
        **vars(base),
        news=news,
        peers=peers,
        objects=objects,
        brought=brought,
        journal=journal,
        shipper=shipper,
        serving=serving,
        leases=leases,
        callers=callers,
        scoring=ScoringDesk(serving, leases, journal, features, base.clock, sealer),
        jobs=jobs,
    )


def _parts(resources: InferenceResources, metrics: Metrics) -> Parts:
    parts = Parts(metrics)
    parts.add("deployments", resources.serving.run)
    parts.add("leases", resources.leases.run)
    parts.add("callers", resources.callers.run)
    parts.add("shipper", resources.shipper.run)
    parts.add("segments", resources.shipper.clean)
    return parts


def drop(leases: Leases[Key], concerns: Callable[[Key], bool]) -> None:
    """A revocation or another version: whoever scores next asks policy again."""
    leases.drop(concerns)


def _left(folder: Path) -> list[Left]:
    folder.mkdir(parents=True, exist_ok=True)
    return recover(folder)


def _tokens(settings: InferenceSettings, base: Resources) -> ServiceTokens | None:
    if settings.client_secret_file is None:
        return None
    return ServiceTokens(settings.oidc_issuer, f"service:{NAME}", settings.client_secret_file, base.http, base.clock)


def _checkpoint_key(file: Path | None) -> CheckpointKey | None:
    return CheckpointKey.parse(file.read_text("utf-8")) if file is not None else None
