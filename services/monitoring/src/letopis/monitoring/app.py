"""Monitoring's web application: routers listed by hand, resources opened for its life."""

from collections.abc import Callable

from fastapi import FastAPI

from letopis.common.http import create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.replaying.api import replay_doors
from letopis.monitoring.alert.api import router as alert
from letopis.monitoring.contract import PUBLISHED
from letopis.monitoring.monitor.api import router as monitor
from letopis.monitoring.outcome.api import router as outcome
from letopis.monitoring.profile.api import router as profile
from letopis.monitoring.settings import MonitoringSettings
from letopis.registry.contract import PRINCIPAL

LEDGERS = ("monitoring",)
ROUTERS = (monitor, profile, outcome, alert, ledger_door("monitoring", LEDGERS), replay_doors("monitoring", LEDGERS))


class Directory(DirectoryView):
    """Who may act, from the registry's facts."""

    sources = {"registry": PRINCIPAL}


def create_app(settings: MonitoringSettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; it does nothing until it is started."""
    return create_service(
        title="Letopis monitoring",
        name="monitoring",
        settings=settings,
        facts=PUBLISHED,
        routers=ROUTERS,
        resources=lambda: open_resources(settings, "monitoring", Directory, heard=heard, keys=0),
    )
