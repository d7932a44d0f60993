"""Deployments: only what was promoted answers, and what answers is always named by a fact."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.inference.deployment.events import (
    FACTS,
    ConsumerGranted,
    ConsumerRevoked,
    Deployed,
    DeploymentFact,
    LoadFailed,
    Replaced,
    Retired,
)


class NotPromoted(Refused):
    """The version has no completed promotion."""

    code = "deployment.not_promoted"
    title = "Only a version with a completed promotion is deployed; ask for its approval first"


class DigestDiffers(Refused):
    """What was promoted is not what would be deployed."""

    code = "deployment.digest_differs"
    title = "The promotion was completed for another digest of this version"


class AlreadyDeployed(Refused):
    """The application's API version is in use."""

    code = "deployment.already_deployed"
    title = "This application and API version are deployed already; choose another API version or retire it"


class NotDeployed(Refused):
    """There is nothing to change."""

    code = "deployment.not_deployed"
    title = "Nothing is deployed under this application and API version"


class AlreadyGranted(Refused):
    """The consumer has the grant."""

    code = "deployment.already_granted"
    title = "This consumer may score here already"


class NotGranted(Refused):
    """There is no grant to take back."""

    code = "deployment.not_granted"
    title = "This consumer has no grant here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A completed promotion, as the registry told it."""

    promotion_id: str
    version_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """`promotion` is the version's completed promotion, None if it has none."""

    application: str
    api_version: str
    model_id: str
    version_id: str
    version_digest: str
    promotion: Promotion | None
    follows: Literal["production", "version"]
    consumers: tuple[str, ...]
    most_rows: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """The model's production moved; `cause_id` is the registry fact that says so."""

    version_id: str
    version_digest: str
    promotion: Promotion | None
    cause: Literal["entered", "rolled_back"]
    cause_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLoadFailure:
    version_id: str
    code: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantConsumer:
    consumer: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeConsumer:
    consumer: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    reason: str
    by: str
    at: datetime


DeploymentCommand = Deploy | Replace | NoteLoadFailure | GrantConsumer | RevokeConsumer | Retire


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Never deployed, or retired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """Answering."""

    deployment_id: str
    application: str
    api_version: str
    model_id: str
    version_id: str
    version_digest: str
    follows: str
    consumers: tuple[str, ...]
    most_rows: int


Deployment = Absent | Active


def deploy(state: Deployment, command: Deploy) -> Sequence[DeploymentFact]:
    if isinstance(state, Active):
        raise AlreadyDeployed
    promotion = _promoted(command.promotion, command.version_digest)
    return [
        Deployed(
            deployment_id=deployment_id(command.application, command.api_version),
            application=command.application,
            api_version=command.api_version,
            model_id=command.model_id,
            version_id=command.version_id,
            version_digest=command.version_digest,
            promotion_id=promotion.promotion_id,
            follows=command.follows,
            consumers=tuple(sorted(set(command.consumers))),
            most_rows=command.most_rows,
            by=command.by,
            at=command.at,
        )
    ]


def replace_version(state: Deployment, command: Replace) -> Sequence[DeploymentFact]:
    """Nothing happens where the version answers already, or the deployment stays with its version."""
    match state:
        case Active(follows="production") if state.version_id != command.version_id:
            _promoted(command.promotion, command.version_digest)
            return [
                Replaced(
                    deployment_id=state.deployment_id,
                    application=state.application,
                    api_version=state.api_version,
                    model_id=state.model_id,
                    from_version_id=state.version_id,
                    version_id=command.version_id,
                    version_digest=command.version_digest,
                    cause=command.cause,
                    cause_id=command.cause_id,
                    at=command.at,
                )
            ]
        case _:
            return []


def note_load_failure(state: Deployment, command: NoteLoadFailure) -> Sequence[DeploymentFact]:
    active = _active(state)
    return [
        LoadFailed(
            deployment_id=active.deployment_id,
            application=active.application,
            api_version=active.api_version,
            version_id=command.version_id,
            code=command.code,
            detail=command.detail,
            at=command.at,
        )
    ]


def grant_consumer(state: Deployment, command: GrantConsumer) -> Sequence[DeploymentFact]:
    active = _active(state)
    if command.consumer in active.consumers:
        raise AlreadyGranted
    return [
        ConsumerGranted(
            deployment_id=active.deployment_id,
            application=active.application,
            api_version=active.api_version,
            consumer=command.consumer,
            by=command.by,
        )
    ]


def revoke_consumer(state: Deployment, command: RevokeConsumer) -> Sequence[DeploymentFact]:
    active = _active(state)
    if command.consumer not in active.consumers:
        raise NotGranted
    return [
        ConsumerRevoked(
            deployment_id=active.deployment_id,
            application=active.application,
            api_version=active.api_version,
            consumer=command.consumer,
            by=command.by,
        )
    ]


def retire(state: Deployment, command: Retire) -> Sequence[DeploymentFact]:
    active = _active(state)
    return [
        Retired(
            deployment_id=active.deployment_id,
            application=active.application,
            api_version=active.api_version,
            model_id=active.model_id,
            version_id=active.version_id,
            reason=command.reason,
            by=command.by,
            at=command.at,
        )
    ]


def decide(state: Deployment, command: DeploymentCommand) -> Sequence[DeploymentFact]:
    match command:
        case Deploy():
            return deploy(state, command)
        case Replace():
            return replace_version(state, command)
        case NoteLoadFailure():
            return note_load_failure(state, command)
        case GrantConsumer():
            return grant_consumer(state, command)
        case RevokeConsumer():
            return revoke_consumer(state, command)
        case Retire():
            return retire(state, command)


def evolve(state: Deployment, fact: DeploymentFact) -> Deployment:
    match fact, state:
        case Deployed(), _:
            return Active(
                deployment_id=fact.deployment_id,
                application=fact.application,
                api_version=fact.api_version,
                model_id=fact.model_id,
                version_id=fact.version_id,
                version_digest=fact.version_digest,
                follows=fact.follows,
                consumers=fact.consumers,
                most_rows=fact.most_rows,
            )
        case Replaced(), Active():
            return replace(state, version_id=fact.version_id, version_digest=fact.version_digest)
        case ConsumerGranted(), Active():
            return replace(state, consumers=tuple(sorted((*state.consumers, fact.consumer))))
        case ConsumerRevoked(), Active():
            return replace(state, consumers=tuple(one for one in state.consumers if one != fact.consumer))
        case Retired(), _:
            return Absent()
        case _:
            return state


def deployment_id(application: str, api_version: str) -> str:
    """The id under which an application's API version is known."""
    return f"{application}.{api_version}"


def _promoted(promotion: Promotion | None, digest: str) -> Promotion:
    if promotion is None:
        raise NotPromoted
    if promotion.version_digest != digest:
        raise DigestDiffers
    return promotion


def _active(state: Deployment) -> Active:
    if not isinstance(state, Active):
        raise NotDeployed
    return state


DEPLOYMENT: Aggregate[DeploymentCommand, DeploymentFact, Deployment] = Aggregate(
    "deployment", Decider[DeploymentCommand, DeploymentFact, Deployment](Absent(), decide, evolve), FACTS
)
