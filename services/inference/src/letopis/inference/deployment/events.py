"""What is known of a deployment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """An application's API version is answered by a promoted version from now on.

    `follows` is "production" when the deployment goes where the model's promotions and rollbacks go, "version" when
    it stays with the version it was given.
    """

    deployment_id: str
    application: str
    api_version: str
    model_id: str
    version_id: str
    version_digest: str
    promotion_id: str
    follows: Literal["production", "version"]
    consumers: tuple[str, ...]
    most_rows: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Another version of the model answers from now on, because a promotion completed or was rolled back."""

    deployment_id: str
    application: str
    api_version: str
    model_id: str
    from_version_id: str
    version_id: str
    version_digest: str
    cause: Literal["entered", "rolled_back"]
    cause_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFailed:
    """A version that should have taken over could not be loaded; the one before goes on answering."""

    deployment_id: str
    application: str
    api_version: str
    version_id: str
    code: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGranted:
    deployment_id: str
    application: str
    api_version: str
    consumer: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerRevoked:
    deployment_id: str
    application: str
    api_version: str
    consumer: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    deployment_id: str
    application: str
    api_version: str
    model_id: str
    version_id: str
    reason: str
    by: str
    at: datetime


DeploymentFact = Deployed | Replaced | LoadFailed | ConsumerGranted | ConsumerRevoked | Retired

FACTS = Catalogue(
    [
        ("inference.deployment.deployed", 1, Deployed),
        ("inference.deployment.replaced", 1, Replaced),
        ("inference.deployment.load_failed", 1, LoadFailed),
        ("inference.deployment.consumer_granted", 1, ConsumerGranted),
        ("inference.deployment.consumer_revoked", 1, ConsumerRevoked),
        ("inference.deployment.retired", 1, Retired),
    ]
)
