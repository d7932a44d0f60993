"""The chronicle's web application: routers listed by hand, resources opened for its life."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import APIRouter, FastAPI

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.claim.api import router as claim
from letopis.audit.contract import PUBLISHED
from letopis.audit.drill.api import router as drill
from letopis.audit.evidence.api import router as evidence
from letopis.audit.history.api import router as history
from letopis.audit.incident.api import router as incident
from letopis.audit.lineage.api import router as lineage
from letopis.audit.log.api import router as log
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.note import Signer
from letopis.audit.log.sealed import SealedLog
from letopis.audit.log.shelf import Shelf
from letopis.audit.report.api import router as report
from letopis.audit.report.shelf import Shelf as ReportShelf
from letopis.audit.schedule.api import router as schedule
from letopis.audit.settings import AuditSettings
from letopis.audit.subject.api import router as subject
from letopis.audit.subject.office import KeyOffice
from letopis.audit.voice.api import router as voice
from letopis.common.database import open_engine
from letopis.common.http import Resources, create_service, ledger_door, open_resources
from letopis.common.identity.directory import DirectoryView
from letopis.common.ledgers import LEDGERS
from letopis.common.objects import ObjectStore
from letopis.common.policy.in_force import PolicyInForceView
from letopis.common.replaying.api import replay_doors
from letopis.common.sealing import HttpKeyStore
from letopis.registry.contract import DIRECTORY, POLICY_RELEASE


class Directory(DirectoryView):
    """Who may act, from the registry's facts."""

    sources = {"registry": DIRECTORY}


class PolicyInForce(PolicyInForceView):
    """The last published policy, from the registry's facts."""

    sources = {"registry": POLICY_RELEASE}


@dataclass(frozen=True, kw_only=True)
class AuditResources(Resources):
    """What the chronicle holds besides: copies, sealed logs, locks, packs and reports, and its key."""

    settings: AuditSettings
    copies: CopyStore
    log: SealedLog
    locks: LockStore
    objects: ObjectStore
    signer: Signer
    office: KeyOffice
    shelf: ReportShelf

    def sealer(self, ledger: str) -> Sealer:
        """The sealer of one ledger; the same for who seals and for who assesses what was restored."""
        return Sealer(
            ledger=ledger,
            copies=self.copies,
            shelf=self.log.shelf,
            locks=self.locks,
            signer=self.log.signers[ledger],
        )


def signing_key(path: Path | None) -> Ed25519PrivateKey:
    """The log's private key; ValueError or TypeError unless the file holds an Ed25519 key in PEM."""
    if path is None:
        raise ValueError("LETOPIS_AUDIT_SIGNING_KEY_FILE must name an Ed25519 key in PEM")
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    return key


def sealed_log(settings: AuditSettings) -> SealedLog:
    """The logs below the object store, each with a key named by its origin."""
    key = signing_key(settings.signing_key_file)
    signers = {ledger: Signer(f"{settings.origin}/{ledger}", key) for ledger in LEDGERS}
    shelf = Shelf(ObjectStore(settings.object_store_url).root / "log")
    return SealedLog(shelf, signers, LockStore(settings.locks).log)


@asynccontextmanager
async def opened(
    settings: AuditSettings, heard: Callable[[str, int], None] | None = None
) -> AsyncIterator[AuditResources]:
    """The chronicle's resources, until it stops."""
    sealed = sealed_log(settings)
    engine = open_engine(settings.database_url, name="letopis-audit-copies", autocommit=True, size=8)
    try:
        async with open_resources(settings, "audit", Directory, heard=heard, releases=PolicyInForce) as shared:
            yield AuditResources(
                **vars(shared) | {"settings": settings},
                copies=CopyStore(engine),
                log=sealed,
                locks=LockStore(settings.locks),
                objects=ObjectStore(settings.object_store_url),
                signer=Signer(f"{settings.origin}/pack", sealed.signers["audit"].key),
                shelf=ReportShelf.of(settings.report_folder),
                office=KeyOffice(
                    HttpKeyStore(shared.http, settings.subject_keys_url, settings.subject_keys_secret_file)
                ),
            )
    finally:
        await engine.dispose()


def routers() -> list[APIRouter]:
    """Every door of the chronicle."""
    return [
        log,
        evidence,
        report,
        schedule,
        lineage,
        incident,
        subject,
        claim,
        history,
        voice,
        drill,
        ledger_door("audit", ("audit",)),
        replay_doors("audit", ("audit",)),
    ]


def create_app(settings: AuditSettings, heard: Callable[[str, int], None] | None = None) -> FastAPI:
    """The application; it does nothing until it is started."""
    return create_service(
        title="Letopis audit",
        name="audit",
        settings=settings,
        facts=PUBLISHED,
        routers=routers(),
        resources=lambda: opened(settings, heard),
    )
