"""The registry's web application: routers listed by hand, resources opened for its life."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.identity.service_tokens import ServiceTokens
from letopis.common.objects import ObjectStore
from letopis.common.parked.api import parked_doors
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.policy.sources import Room, collect
from letopis.common.replaying.api import replay_doors
from letopis.registry.access_review.api import router as access_review
from letopis.registry.break_glass.api import router as break_glass
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE, PUBLISHED
from letopis.registry.delegation.api import router as delegation
from letopis.registry.evidence.api import router as evidence
from letopis.registry.group_role.api import router as group_role
from letopis.registry.model.api import router as model
from letopis.registry.notebook_key.api import router as notebook_key
from letopis.registry.policy_release.api import router as policy_release
from letopis.registry.principal.api import router as principal
from letopis.registry.promotion.api import router as promotion
from letopis.registry.reveal.api import router as reveal
from letopis.registry.session.api import router as session
from letopis.registry.settings import RegistrySettings
from letopis.registry.use_case.api import router as use_case
from letopis.registry.version.api import router as version
from letopis.registry.version.signing import Signer

# People are registered a few at a time.
POOL = 50


class Directory(DirectoryView):
    """Who may act, from the registry's own facts."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class RegistryResources(Resources):
    """What the registry holds besides: artifacts, its signing key, and the token of the first enrolment."""

    settings: RegistrySettings
    objects: ObjectStore
    signer: Signer
    enrolment_token: str
    tokens: ServiceTokens | None
    rooms: tuple[Room, ...]


@asynccontextmanager
async def opened(
    settings: RegistrySettings, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[RegistryResources]:
    """The registry's resources, until it stops."""
    if settings.signing_key_file is None:
        raise ValueError("LETOPIS_REGISTRY_SIGNING_KEY_FILE must name an Ed25519 key in PEM")
    token = settings.enrolment_token_file
    async with open_resources(
        settings, "registry", Directory, heard=heard, keys=POOL, releases=PolicyInForce
    ) as shared:
        yield RegistryResources(
            **vars(shared),
            objects=ObjectStore(settings.object_store_url),
            signer=Signer.from_file(settings.signing_key_file),
            enrolment_token=token.read_text("utf-8").strip() if token is not None and token.is_file() else "",
            tokens=_tokens(settings, shared),
            rooms=tuple(collect()),
        )


OWN = (
    ledger_door("registry", ("registry",)),
    replay_doors("registry", ("registry",)),
    parked_doors("registry"),
)


def routers() -> list[APIRouter]:
    """All doors of the registry."""
    people = (principal, reveal, access_review, group_role, delegation, notebook_key)
    rooms = (use_case, model, version, evidence, promotion, break_glass, session)
    return [*people, *rooms, policy_release, *OWN]


def create_app(settings: RegistrySettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; it does nothing until it is started."""
    return create_service(
        title="Letopis registry",
        name="registry",
        settings=settings,
        facts=PUBLISHED,
        routers=routers(),
        resources=lambda: opened(settings, heard),
    )


def _tokens(settings: RegistrySettings, base: Resources) -> ServiceTokens | None:
    if settings.client_secret_file is None:
        return None
    return ServiceTokens(settings.oidc_issuer, "service:registry", settings.client_secret_file, base.http, base.clock)
