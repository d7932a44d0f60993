"""What works beside the chronicle's API, listed by hand: read models, and for each ledger a copier and a sealer."""

from functools import partial

import httpx

from letopis.audit.app import AuditResources, Directory, PolicyInForce, create_app
from letopis.audit.claim.evaluating import Evaluating
from letopis.audit.claim.views import ClaimsEvaluation
from letopis.audit.drill.views import Drills
from letopis.audit.incident.views import IncidentSummary
from letopis.audit.log.copying import Copier
from letopis.audit.log.keeper import Keeper
from letopis.audit.report.issuing import Issuing
from letopis.audit.report.views import IssuedReport
from letopis.audit.schedule.clock import Clockwork
from letopis.audit.schedule.views import Schedules
from letopis.audit.settings import AuditSettings
from letopis.audit.siem.sending import Kept, Receiver, Sending
from letopis.audit.subject.reactions import DestroyWhenApproved, Telling
from letopis.audit.subject.views import SubjectKeys
from letopis.audit.voice.views import Heartbeats, Silences, Speakers
from letopis.audit.voice.watching import Watching, heartbeat_signer
from letopis.audit.witness.asking import Asking
from letopis.audit.witness.policy import WitnessPolicy, parse
from letopis.common.eventstore.partitions import keep_ahead
from letopis.common.ledgers import LEDGERS, OWNERS
from letopis.common.observability import Metrics
from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.common.workshop import Workshop

VIEWS: tuple[type[View], ...] = (Directory, PolicyInForce, IssuedReport, Schedules, IncidentSummary, SubjectKeys)

VIEWS += (ClaimsEvaluation, Speakers, Silences, Heartbeats, Drills)


def fit(workshop: Workshop, resources: AuditResources) -> None:
    """Three parts a ledger, so that what befalls one leaves the others alone; the keys of subjects."""
    subjects = (resources.desk, resources.views, resources.office, resources.clock)
    workshop.react(DestroyWhenApproved(*subjects).reaction())
    workshop.parts.add("whose keys", Telling(*subjects).run)
    for ledger in LEDGERS:
        keeper = Keeper(
            ledger=ledger,
            source=workshop.source(ledger),
            copier=Copier(ledger, resources.copies),
            sealer=resources.sealer(ledger),
            desk=resources.desk,
            clock=resources.clock,
            metrics=workshop.metrics,
            every=resources.settings.seal_every,
        )
        workshop.parts.add(f"copy {ledger}", keeper.copy)
        workshop.parts.add(f"seal {ledger}", keeper.seal)
        workshop.parts.add(f"recheck {ledger}", keeper.recheck)
    workshop.parts.add("copy partitions", partial(keep_ahead, partial(resources.copies.open_ahead, LEDGERS)))
    evaluating = Evaluating(
        copies=resources.copies,
        log=resources.log,
        objects=resources.objects,
        desk=resources.desk,
        clock=resources.clock,
        metrics=workshop.metrics,
    )
    workshop.parts.add("claims", evaluating.run)
    watching = Watching(
        sources={ledger: workshop.source(ledger) for ledger in LEDGERS},
        copies=resources.copies,
        log=resources.log,
        desk=resources.desk,
        views=resources.views,
        clock=resources.clock,
        signer=heartbeat_signer(resources.settings.origin, resources.log),
        metrics=workshop.metrics,
    )
    workshop.parts.add("heartbeat", watching.run)
    if resources.settings.witness_policy_file is not None:
        policy = parse(resources.settings.witness_policy_file.read_text("utf-8"))
        workshop.parts.add("witnesses", partial(_witnessed, resources, policy, workshop.metrics))
    issuing = Issuing(copies=resources.copies, log=resources.log, ledgers=LEDGERS)
    clockwork = Clockwork(resources=resources, issuing=issuing, folder=resources.settings.delivered)
    workshop.parts.add("report schedules", clockwork.run)
    if resources.settings.siem_url:
        workshop.parts.add("siem", partial(_told, resources, workshop.metrics))


async def _told(resources: AuditResources, metrics: Metrics) -> None:
    settings = resources.settings
    receiver = Receiver(
        url=settings.siem_url,
        ca_file=settings.siem_ca_file,
        certificate_file=settings.siem_certificate_file,
        key_file=settings.siem_key_file,
    )
    sending = Sending(
        receiver=receiver,
        copies=resources.copies,
        ledgers=LEDGERS,
        kept=Kept(settings.state_dir / "siem.json"),
        clock=resources.clock,
        metrics=metrics,
        host=settings.siem_host,
    )
    await sending.run()


async def _witnessed(resources: AuditResources, policy: WitnessPolicy, metrics: Metrics) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        await Asking(log=resources.log, ledgers=LEDGERS, policy=policy, http=http, metrics=metrics).run()


PROCESS = Process(
    name="audit",
    settings=AuditSettings,
    create_app=create_app,
    owns=("audit",),
    follows={ledger: owner for ledger, owner in OWNERS.items() if owner != "audit"},
    views=VIEWS,
    fit=fit,
)
