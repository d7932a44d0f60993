"""What works beside the registry's API, listed by hand: read models and reactions."""

from letopis.common.parked.reactions import releases
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.workshop import Workshop
from letopis.registry.app import Directory, RegistryResources, create_app
from letopis.registry.principal.views import Principals
from letopis.registry.production.reactions import EnterWhenCompleted
from letopis.registry.promotion.views import PromotionSummary
from letopis.registry.session.views import OpenSessions
from letopis.registry.settings import RegistrySettings
from letopis.registry.use_case.views import UseCases
from letopis.registry.version.views import Models, ProductionHistory, Versions

VIEWS: tuple[type[View], ...] = (
    Directory,
    Principals,
    UseCases,
    Models,
    Versions,
    ProductionHistory,
    PromotionSummary,
    OpenSessions,
)


def fit(workshop: Workshop, resources: RegistryResources) -> None:
    """A completed promotion enters production, also if the process died in between."""
    workshop.react(EnterWhenCompleted(resources.desk).reaction())
    workshop.react(releases("registry", workshop.app_engine))


PROCESS = Process(
    name="registry",
    settings=RegistrySettings,
    create_app=create_app,
    owns=("registry",),
    follows={},
    views=VIEWS,
    fit=fit,
)
