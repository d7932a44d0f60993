"""What works beside the API of features, listed by hand: read models, reactions and jobs."""

from letopis.common.parked.reactions import releases
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.workshop import Workshop
from letopis.features.app import Directory, FeaturesResources, PolicyInForce, create_app
from letopis.features.batch.reactions import PutOnline
from letopis.features.batch.views import BatchList
from letopis.features.bundle.views import BundleCatalogue
from letopis.features.dataset.jobs import declare
from letopis.features.dataset.reactions import VerifyBuilt
from letopis.features.dataset.views import DatasetCatalogue
from letopis.features.grant.views import GrantList
from letopis.features.online.views import OnlineUse
from letopis.features.query.views import ReadLog
from letopis.features.settings import FeaturesSettings
from letopis.features.source.views import SourceCatalogue
from letopis.features.view.views import FeatureViewCatalogue

VIEWS: tuple[type[View], ...] = (
    Directory,
    PolicyInForce,
    SourceCatalogue,
    GrantList,
    FeatureViewCatalogue,
    BundleCatalogue,
    DatasetCatalogue,
    BatchList,
    ReadLog,
    OnlineUse,
)


def fit(workshop: Workshop, resources: FeaturesResources) -> None:
    """A committed batch goes online, also if the process died in between; a built training set is verified."""
    workshop.react(PutOnline(resources.materialiser).reaction())
    workshop.react(VerifyBuilt(workshop.enqueue).reaction())
    workshop.react(releases("features", workshop.app_engine))


PROCESS = Process(
    name="features",
    settings=FeaturesSettings,
    create_app=create_app,
    owns=("features", "access"),
    follows={"registry": "registry"},
    views=VIEWS,
    fit=fit,
    declare=declare,
)
