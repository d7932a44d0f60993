"""What works beside the registry's API, listed by hand: read models and reactions."""

from letopis.common.parked.reactions import releases
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.workshop import Workshop
from letopis.registry.app import Directory, PolicyInForce, RegistryResources, create_app
from letopis.registry.break_glass.lapsing import Lapsing
from letopis.registry.break_glass.views import BreakGlasses
from letopis.registry.delegation.views import Delegations
from letopis.registry.policy_release.reactions import InstallPolicy
from letopis.registry.policy_release.views import PolicyReleases
from letopis.registry.principal.views import Principals
from letopis.registry.production.reactions import EnterWhenCompleted
from letopis.registry.promotion.views import PromotionSummary
from letopis.registry.session.views import OpenSessions
from letopis.registry.settings import RegistrySettings
from letopis.registry.use_case.views import UseCases
from letopis.registry.version.views import Models, ProductionHistory, Versions

VIEWS: tuple[type[View], ...] = (
    Directory,
    PolicyInForce,
    Principals,
    Delegations,
    UseCases,
    Models,
    Versions,
    ProductionHistory,
    PromotionSummary,
    BreakGlasses,
    OpenSessions,
    PolicyReleases,
)


def fit(workshop: Workshop, resources: RegistryResources) -> None:
    """What completes enters production, also if the process died in between; emergencies end with their hours."""
    workshop.react(EnterWhenCompleted(resources.desk).reaction())
    workshop.parts.add("break glass", Lapsing(resources.desk, resources.views, resources.clock).run)
    workshop.react(releases("registry", workshop.app_engine))
    key, folder = resources.settings.policy_key_file, resources.settings.policy_folder
    if key is not None and folder is not None:
        workshop.react(InstallPolicy(resources.rooms, key, folder).reaction())


PROCESS = Process(
    name="registry",
    settings=RegistrySettings,
    create_app=create_app,
    owns=("registry",),
    follows={},
    views=VIEWS,
    fit=fit,
)
