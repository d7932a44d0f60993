"""What works beside monitoring's API, listed by hand: read models, profiles, evaluation."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from letopis.common.following import News, Source
from letopis.common.http import Resources
from letopis.common.observability import Metrics
from letopis.common.process import Process
from letopis.common.projecting import View, ViewReader
from letopis.common.sealing import HttpKeyStore, Keyring, OpenedLedger
from letopis.common.workshop import Workshop
from letopis.inference.contract import DECISIONS
from letopis.monitoring.alert.reactions import Evaluation
from letopis.monitoring.alert.views import Alerts
from letopis.monitoring.app import Directory, PolicyInForce, create_app
from letopis.monitoring.monitor.views import Monitors, Versions
from letopis.monitoring.outcome.views import Labelled
from letopis.monitoring.profile.keeping import Keeping, rebuild_profiles
from letopis.monitoring.settings import MonitoringSettings

VIEWS: tuple[type[View], ...] = (Directory, PolicyInForce, Versions, Monitors, Labelled, Alerts)


def opening(workshop: Workshop, keyring: Keyring) -> Callable[[View], Mapping[str, Source]]:
    """The ledgers of a view, the inputs of decisions opened: a profile counts them and keeps no single one."""

    def sources(view: View) -> Mapping[str, Source]:
        return {ledger: OpenedLedger(one, DECISIONS, keyring) for ledger, one in workshop.sources(view).items()}

    return sources


def fit(workshop: Workshop, resources: Resources) -> None:
    """A profile for each monitor, and the clock that judges them."""
    settings = workshop.settings
    if not isinstance(settings, MonitoringSettings):
        raise TypeError("monitoring is run with its own settings")
    keeping = Keeping(
        resources.views, opening(workshop, resources.keyring), workshop.projector_engine, workshop.metrics
    )
    decisions = workshop.source("decisions")
    evaluation = Evaluation(
        views=resources.views,
        desk=resources.desk,
        clock=resources.clock,
        quiet=timedelta(seconds=settings.quiet_seconds),
        every=timedelta(seconds=settings.every_seconds),
        known=lambda: decisions.known,
    )
    workshop.parts.add("profiles", keeping.run)
    workshop.parts.add("evaluation", evaluation.run)


PROCESS = Process(
    name="monitoring",
    settings=MonitoringSettings,
    create_app=create_app,
    owns=("monitoring",),
    follows={"registry": "registry", "decisions": "inference"},
    views=VIEWS,
    fit=fit,
)


async def rebuild_by_hand(settings: MonitoringSettings, monitor_id: str) -> dict[str, int]:
    """`rebuild profile`: facts gone through, by monitor."""
    metrics = Metrics(PROCESS.name)
    workshop = Workshop.of(PROCESS.name, settings, News(), metrics, PROCESS.owns, PROCESS.follows)
    try:
        views = ViewReader(workshop.app_engine)
        keyring = Keyring(HttpKeyStore(workshop.http, settings.subject_keys_url, settings.subject_keys_secret_file))
        return await rebuild_profiles(views, opening(workshop, keyring), workshop.projector_engine, monitor_id)
    finally:
        await workshop.close()
