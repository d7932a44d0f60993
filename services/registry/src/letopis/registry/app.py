"""The registry's web application: routers listed by hand, resources opened for its life."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI

from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.objects import ObjectStore
from letopis.common.parked.api import parked_doors
from letopis.common.replaying.api import replay_doors
from letopis.registry.access_review.api import router as access_review
from letopis.registry.contract import PRINCIPAL, PUBLISHED
from letopis.registry.evidence.api import router as evidence
from letopis.registry.model.api import router as model
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

    sources = {"registry": PRINCIPAL}


@dataclass(frozen=True, kw_only=True)
class RegistryResources(Resources):
    """What the registry holds besides: artifacts, its signing key, and the token of the first enrolment."""

    objects: ObjectStore
    signer: Signer
    enrolment_token: str


@asynccontextmanager
async def opened(
    settings: RegistrySettings, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[RegistryResources]:
    """The registry's resources, until it stops."""
    if settings.signing_key_file is None:
        raise ValueError("LETOPIS_REGISTRY_SIGNING_KEY_FILE must name an Ed25519 key in PEM")
    token = settings.enrolment_token_file
    async with open_resources(settings, "registry", Directory, heard=heard, keys=POOL) as shared:
        yield RegistryResources(
            **vars(shared),
            objects=ObjectStore(settings.object_store_url),
            signer=Signer.from_file(settings.signing_key_file),
            enrolment_token=token.read_text("utf-8").strip() if token is not None and token.is_file() else "",
        )


OWN = (
    ledger_door("registry", ("registry",)),
    replay_doors("registry", ("registry",)),
    parked_doors("registry"),
)


def routers() -> list[APIRouter]:
    """All doors of the registry."""
    return [principal, reveal, access_review, use_case, model, version, evidence, promotion, session, *OWN]


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
