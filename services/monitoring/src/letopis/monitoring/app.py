"""Monitoring's web application: routers listed by hand, resources opened for its life."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.replaying.api import replay_doors
from letopis.monitoring.alert.api import router as alert
from letopis.monitoring.contract import PUBLISHED
from letopis.monitoring.monitor.api import router as monitor
from letopis.monitoring.outcome.api import router as outcome
from letopis.monitoring.profile.api import router as profile
from letopis.monitoring.settings import MonitoringSettings
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE

LEDGERS = ("monitoring",)
ROUTERS = (monitor, profile, outcome, alert, ledger_door("monitoring", LEDGERS), replay_doors("monitoring", LEDGERS))


class Directory(DirectoryView):
    """Who may act, from the registry's facts."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class MonitoringResources(Resources):
    """What monitoring holds besides: how it acts in the name of who defines a monitor."""

    tokens: ServiceTokens


@asynccontextmanager
async def opened(
    settings: MonitoringSettings, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[MonitoringResources]:
    """Monitoring's resources, until it stops."""
    secret = settings.client_secret_file
    if secret is None:
        raise ValueError("LETOPIS_MONITORING_CLIENT_SECRET_FILE must name the service's secret")
    async with open_resources(settings, "monitoring", Directory, heard=heard, releases=PolicyInForce, keys=0) as shared:
        tokens = ServiceTokens(settings.oidc_issuer, "service:monitoring", secret, shared.http, shared.clock)
        yield MonitoringResources(**vars(shared), tokens=tokens)


def create_app(settings: MonitoringSettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; it does nothing until it is started."""
    return create_service(
        title="Letopis monitoring",
        name="monitoring",
        settings=settings,
        facts=PUBLISHED,
        routers=ROUTERS,
        resources=lambda: opened(settings, heard),
    )
