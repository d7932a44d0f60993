"""What works beside inference's API, listed by hand: relays, read models, jobs, and following production."""

from functools import partial

from letopis.common.parked.reactions import releases
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.reacting import Reaction
from letopis.common.workshop import Workshop
from letopis.inference.app import Directory, InferenceResources, PolicyInForce, create_app
from letopis.inference.decision.views import DecisionIndex
from letopis.inference.deployment.reactions import NAME, FollowProduction
from letopis.inference.deployment.views import DeploymentSummary, KnownVersion
from letopis.inference.job.turn import JobTurn
from letopis.inference.job.views import JobSummary
from letopis.inference.settings import InferenceSettings
from letopis.registry.contract import CONTRACT

VIEWS: tuple[type[View], ...] = (Directory, PolicyInForce, KnownVersion, DeploymentSummary, JobSummary, DecisionIndex)


def fit(workshop: Workshop, resources: InferenceResources) -> None:
    """Deployments follow production; jobs run one after another."""
    follow = FollowProduction(resources.desk, resources.views, resources.serving, resources.clock)
    workshop.react(Reaction(name=NAME, sources={"registry": CONTRACT}, react=follow))
    workshop.react(releases("inference", workshop.app_engine))
    workshop.parts.add("jobs", partial(resources.jobs.run, JobTurn(workshop.app_engine)))


PROCESS = Process(
    name="inference",
    settings=InferenceSettings,
    create_app=create_app,
    owns=("inference", "decisions"),
    follows={"registry": "registry"},
    views=VIEWS,
    telemetry=frozenset({"decisions"}),
    fit=fit,
)
