"""What works beside the chronicle's API, listed by hand: read models, and for each ledger a copier and a sealer."""

from letopis.audit.app import AuditResources, Directory, create_app
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.incident.views import IncidentSummary
from letopis.audit.log.copying import Copier
from letopis.audit.log.keeper import Keeper
from letopis.audit.report.views import IssuedReport
from letopis.audit.settings import LEDGERS, OWNERS, AuditSettings
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.workshop import Workshop

from letopis.audit.subject.reactions import DestroyWhenApproved, Telling
from letopis.audit.subject.views import SubjectKeys
VIEWS: tuple[type[View], ...] = (Directory, IssuedReport, IncidentSummary, SubjectKeys)


def fit(workshop: Workshop, resources: AuditResources) -> None:
    """Three parts a ledger, so that what befalls one leaves the others alone; the keys of subjects."""
    subjects = (resources.desk, resources.views, resources.office, resources.clock)
    workshop.react(DestroyWhenApproved(*subjects).reaction())
    workshop.parts.add("whose keys", Telling(*subjects).run)
    for ledger in LEDGERS:
        sealer = Sealer(
            ledger=ledger,
            copies=resources.copies,
            shelf=resources.log.shelf,
            locks=resources.locks,
            signer=resources.log.signers[ledger],
        )
        keeper = Keeper(
            ledger=ledger,
            source=workshop.source(ledger),
            copier=Copier(ledger, resources.copies),
            sealer=sealer,
            desk=resources.desk,
            clock=resources.clock,
            metrics=workshop.metrics,
            every=resources.settings.seal_every,
        )
        workshop.parts.add(f"copy {ledger}", keeper.copy)
        workshop.parts.add(f"seal {ledger}", keeper.seal)
        workshop.parts.add(f"recheck {ledger}", keeper.recheck)


PROCESS = Process(
    name="audit",
    settings=AuditSettings,
    create_app=create_app,
    owns=("audit",),
    follows={ledger: owner for ledger, owner in OWNERS.items() if owner != "audit"},
    views=VIEWS,
    fit=fit,
)
