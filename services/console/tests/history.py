"""A short history: two versions of a model, promotions, a deployment, alerts, and decisions."""

from datetime import UTC, datetime
from uuid import UUID

from letopis.common.envelope import Actor, Authorization, Meta, NewFact, encode_meta
from letopis.common.handling import new_fact
from letopis.common.http.denial import AuthorizationDenied, denials
from letopis.common.serialization import canonical
from letopis.common.testing.sealing import EndlessKeys, MemoryKeyStore, sealer
from letopis.inference import contract as inference
from letopis.monitoring import contract as monitoring
from letopis.registry import contract as registry

NOW = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)
LEDGERS = ("registry", "features", "access", "inference", "decisions", "monitoring", "audit", "console")
MODEL, FIRST, SECOND = "cards-default", "cards-default.1", "cards-default.2"
DIGESTS = {"version_digest": "d" * 64, "environment_digest": "e" * 64, "policy_revision": "7f3a"}
MANIFEST = {
    "model": MODEL,
    "flavour": "xgboost",
    "code": {"commit": "abc123"},
    "training_data": ["cards-april.1"],
    "environment": {"digest": "e" * 64, "python": "3.11"},
    "signature": {"inputs": [{"name": "status", "type": "long", "required": True}]},
    "cutoff": 0.5,
    "support_owner": "olga",
}


def meta(person, action="registry.version.register", purpose="development"):
    asked = Authorization(authorization_id="1", action=action, revision="7f3a", input={}, result={"allow": True})
    return encode_meta(Meta(actor=Actor(person=person, login=person), purpose=purpose, authorization=asked))


async def tell(store):
    """Write the history into a store."""
    ledger = _Writer(store)
    await _people(ledger)
    await _model(ledger)
    await _serving(ledger)
    await _watching(ledger)
    published = registry.PolicyPublished(
        release_id="r1",
        revision="b" * 64,
        base="a" * 64,
        follows="a" * 64,
        changes=(),
        rehearsal="d" * 64,
        author="pavel",
        published_by="vera",
    )
    await ledger.add("registry", registry.POLICY_RELEASE, "policy_release:all", published, by="vera")
    await ledger.raw("features", "features.dataset.built", {"dataset_id": "cards-april.1", "rows": 30_000})
    await ledger.raw("access", "access.read.allowed", {"source": "panel", "columns": ["status"]})
    await ledger.raw("audit", "audit.pack.made", {"pack_id": "1"})
    denied = AuthorizationDenied(
        authorization_id="2",
        action="access.read",
        login="oleg",
        person="oleg",
        purpose="curiosity",
        object_type="source",
        object_id="people",
        rules=("grant.missing",),
    )
    await ledger.add("access", denials("access"), "authorization:2", denied, by="oleg")
    await ledger.add("console", denials("console"), "authorization:3", denied, by="oleg")


async def _people(ledger):
    for login, role in (("anna", "data_scientist"), ("boris", "model_owner"), ("irina", "auditor")):
        told = registry.PrincipalRegistered(
            login=login, person=login, name=login.title(), kind="human", organisation="bank", until=None
        )
        await ledger.registry(f"principal:{login}", told, registry.RoleGranted(login=login, role=role), by="olga")
    key = registry.KeyEnrolled(login="boris", person="boris", key_id="00aa", public_key="AA==")
    await ledger.registry("principal:boris", key, by="boris")


async def _model(ledger):
    await ledger.registry(
        f"model:{MODEL}",
        registry.ModelRegistered(model_id=MODEL, name="Default on cards", owner="boris", description=""),
        registry.UseCaseAssigned(model_id=MODEL, use_case_id="card-limits"),
    )
    for number, version_id in enumerate((FIRST, SECOND), 1):
        version = registry.VersionRegistered(
            version_id=version_id,
            model_id=MODEL,
            model_name="Default on cards",
            number=number,
            digest=DIGESTS["version_digest"],
            manifest=MANIFEST,
            author="anna",
            signature="",
            key_id="registry",
        )
        await ledger.registry(f"version:{version_id}", version)
    for outcome, summary in (("failed", "Gini 0.2"), ("passed", "Gini 0.61")):
        evidence = registry.EvidenceAdded(
            version_id=FIRST,
            version_digest=DIGESTS["version_digest"],
            kind="out_of_time_quality",
            outcome=outcome,
            summary=summary,
            numbers={},
            attachment="",
            digest="9" * 64,
            by="anna",
        )
        await ledger.registry(f"evidence:{FIRST}", evidence)
    await _promotion(ledger, "p1", FIRST, "approve")
    await _promotion(ledger, "p2", SECOND, "approve")
    entered = registry.ProductionEntered(
        model_id=MODEL, version_id=FIRST, version_digest="d" * 64, promotion_id="p1", replaces=None
    )
    second = registry.ProductionEntered(
        model_id=MODEL, version_id=SECOND, version_digest="d" * 64, promotion_id="p2", replaces=FIRST
    )
    back = registry.ProductionRolledBack(
        model_id=MODEL,
        from_version_id=SECOND,
        to_version_id=FIRST,
        to_version_digest="d" * 64,
        reason="alarms",
        by="boris",
    )
    await ledger.registry(f"production:{MODEL}", entered, second, back, by="boris")
    about = {"break_glass_id": "g1", "model_id": MODEL, "version_id": SECOND}
    opened = registry.BreakGlassOpened(
        **about,
        version_digest="d" * 64,
        reason="the first refuses everybody",
        requested_by="boris",
        confirmed_by="pavel",
        until=NOW,
    )
    await ledger.registry(f"break_glass:{MODEL}", opened, registry.BreakGlassLapsed(**about), by="pavel")
    await _promotion(ledger, "p3", SECOND, "reject")
    await _promotion(ledger, "p4", SECOND, "")


async def _promotion(ledger, promotion_id, version_id, verdict):
    about = {
        "promotion_id": promotion_id,
        "version_id": version_id,
        "model_id": MODEL,
        "stage": "production",
        "tier": 1,
    }
    asked = registry.PromotionRequested(
        **about,
        **DIGESTS,
        evidence={"out_of_time_quality": "9" * 64},
        approvals_needed=1,
        author="anna",
        requester="anna",
        comment="ready",
    )
    await ledger.registry(f"promotion:{promotion_id}", asked)
    vote = {"person": "boris", "key_id": "00aa", "signature": "AA==", "comment": "read and agreed"}
    if verdict == "approve":
        approved = registry.PromotionApproved(**about, **DIGESTS, **vote)
        done = registry.PromotionCompleted(
            **about, version_digest="d" * 64, environment_digest="e" * 64, approvers=("boris",), at=NOW
        )
        await ledger.registry(f"promotion:{promotion_id}", approved, done, by="boris")
    elif verdict == "reject":
        rejected = registry.PromotionRejected(**about, version_digest="d" * 64, **vote)
        await ledger.registry(f"promotion:{promotion_id}", rejected, by="boris")


async def _serving(ledger):
    about = {"deployment_id": "cards.v1", "application": "cards", "api_version": "v1"}
    deployed = inference.Deployed(
        **about,
        model_id=MODEL,
        version_id=FIRST,
        version_digest="d" * 64,
        promotion_id="p1",
        follows="production",
        consumers=("bank-app",),
        most_rows=1000,
        by="boris",
        at=NOW,
    )
    replaced = {"from_version_id": FIRST, "version_id": SECOND, "cause": "entered", "cause_id": "p2"}
    other = {"deployment_id": "cards.v0", "api_version": "v0"}
    await ledger.inference(
        deployed,
        inference.Replaced(**about, model_id=MODEL, version_digest="d" * 64, at=NOW, **replaced),
        inference.LoadFailed(**about, version_id=FIRST, code="digest", detail="the digest differs", at=NOW),
        inference.ConsumerGranted(**about, consumer="other-app", by="boris"),
    )
    gone = {**{name: getattr(deployed, name) for name in deployed.__slots__}, **other}
    retired = inference.Retired(
        **{**about, **other}, model_id=MODEL, version_id=FIRST, reason="old", by="boris", at=NOW
    )
    await ledger.inference(inference.Deployed(**gone), retired, stream="deployment:cards.v0")
    for number, score in enumerate((0.8312, 0.0412), 1):
        made = inference.DecisionMade(
            application="cards",
            api_version="v1",
            model_id=MODEL,
            version_id=FIRST,
            version_digest="d" * 64,
            consumer="bank-app",
            entity="account_id",
            entity_id=str(number),
            inputs={"status": 2 if number == 1 else -1, "limit_amount": 20_000.0, "age": None},
            looked_up=(
                inference.LookedUp(
                    name="status",
                    status="PRESENT",
                    event_time="2005-09-01T00:00:00Z",
                    known_time="2005-09-02T00:00:00Z",
                ),
            ),
            score=score,
            cutoff=0.5,
            decision="refuse" if score > 0.5 else "accept",
            reasons=(inference.ReasonCode(name="status", contribution=1.25),),
            decided_at=NOW,
            as_of=datetime(2005, 9, 1, tzinfo=UTC),
            kind="single",
            job_id="",
            row=None,
        )
        await ledger.add("decisions", inference.DECISIONS, "journal:1", made, by="bank-app")


async def _watching(ledger):
    def opened(alert_id, episode, severity, text):
        return monitoring.AlertOpened(
            alert_id=alert_id,
            episode=episode,
            model_id=MODEL,
            version_id=FIRST,
            kind="contract",
            check="level_share",
            feature="status",
            level="1",
            bucket="2005-09",
            bucket_start=datetime(2005, 9, 1, tzinfo=UTC),
            severity=severity,
            text=text,
            measure="rows",
            old=28.0,
            new=3688.0,
            old_rows=30_000,
            new_rows=30_000,
            at=NOW,
        )

    seen = {"alert_id": "a1", "episode": 1, "at": NOW}
    continued = monitoring.AlertContinued(
        **seen,
        bucket="2005-10",
        bucket_start=datetime(2005, 10, 1, tzinfo=UTC),
        severity="critical",
        text="status code 1: 28 -> 4,000 rows",
        old=28.0,
        new=4000.0,
        old_rows=30_000,
        new_rows=30_000,
    )
    await ledger.monitoring(
        "alert:a1",
        opened("a1", 1, "major", "status code 1: 28 -> 3,688 rows"),
        monitoring.AlertAcknowledged(**seen, person="vera", comment="looking"),
        continued,
    )
    await ledger.monitoring(
        "alert:a2",
        opened("a2", 1, "major", "bill PSI 0.31"),
        monitoring.AlertResolved(
            alert_id="a2", episode=1, person="vera", verdict="false_alarm", comment="a holiday", at=NOW
        ),
    )
    await ledger.monitoring("alert:a2", opened("a2", 2, "major", "bill PSI 0.35 again"))
    await ledger.monitoring(
        "alert:a3",
        opened("a3", 1, "major", "age PSI 0.4"),
        monitoring.AlertResolved(alert_id="a3", episode=1, person="vera", verdict="confirmed", comment="fixed", at=NOW),
    )


# With them a test opens what the history sealed.
KEYS = EndlessKeys(MemoryKeyStore())


class _Writer:
    def __init__(self, store):
        self.store = store
        self.written = 0

    async def registry(self, stream, *facts, by="anna"):
        await self.add("registry", registry.CONTRACT, stream, *facts, by=by)

    async def inference(self, *facts, stream="deployment:cards.v1"):
        await self.add("inference", inference.CONTRACT, stream, *facts, by="boris")

    async def monitoring(self, stream, *facts):
        await self.add("monitoring", monitoring.CONTRACT, stream, *facts, by="vera")

    async def add(self, ledger, catalogue, stream, *facts, by):
        version = await self.store.stream_head(ledger, stream)
        await self.store.append(
            ledger, stream, version, [new_fact(catalogue, fact, meta(by), sealer(ledger, KEYS)) for fact in facts]
        )

    async def raw(self, ledger, type, data):
        """A fact of a class that the console does not know."""
        self.written += 1
        fact = NewFact(
            event_id=UUID(int=self.written),
            type=type,
            schema_version=7,
            salt=bytes(16),
            data=canonical(data),
            meta=meta("anna"),
        )
        await self.store.append(ledger, f"raw:{self.written}", 0, [fact])
