"""A bank's half year in facts of the services' own contracts: what reports are tried on."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit import contract as audit
from letopis.audit.incident.events import IncidentClosed, IncidentOpened
from letopis.audit.subject.events import ErasureApproved, ErasureRequested, HoldPlaced, SubjectKeyDestroyed
from letopis.common.envelope import Record, record_to_json
from letopis.common.http.denial import AuthorizationDenied, denials
from letopis.common.identity.approval import ApprovalStatement, key_id, sign
from letopis.common.serialization import canonical
from letopis.common.testing.sealing import same_seal
from letopis.features import contract as features
from letopis.features.query.events import ReadCompleted, ReadStarted
from letopis.inference import contract as inference
from letopis.monitoring import contract as monitoring
from letopis.registry import contract as registry

START = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
CATALOGUES = {
    "registry": registry.PUBLISHED["registry"] | denials("registry"),
    "inference": inference.PUBLISHED["inference"] | denials("inference"),
    "decisions": inference.PUBLISHED["decisions"],
    "monitoring": monitoring.PUBLISHED["monitoring"] | denials("monitoring"),
    "features": features.PUBLISHED["features"],
    "access": features.PUBLISHED["access"],
    "audit": audit.PUBLISHED["audit"] | denials("audit"),
}


def moment(hours):
    return START + timedelta(hours=hours)


class Story:
    """Facts by ledger, as they are stored; `at` is hours since the start."""

    def __init__(self):
        self.records = {ledger: [] for ledger in CATALOGUES}

    def tell(self, ledger, fact, at, by="anna", purpose="development", **meta):
        encoded = CATALOGUES[ledger].encode(fact, same_seal)
        told = self.records[ledger]
        position = len(told) + 1
        about = {"actor": {"person": by, "login": by}, "purpose": purpose, "authorization": {"action": "a"}, **meta}
        told.append(
            Record(
                ledger=ledger, position=position, stream=f"{encoded.type.split('.')[1]}:1", version=position, prev=0,
                event_id=UUID(int=(1 + list(CATALOGUES).index(ledger)) * 10_000 + position), type=encoded.type,
                schema_version=encoded.schema_version, recorded_at=moment(at), command_id=None,
                salt=position.to_bytes(16, "big"), data=encoded.data, meta=canonical(about),
            )
        )  # fmt: skip
        return told[-1]

    def json(self):
        return {ledger: [record_to_json(one) for one in records] for ledger, records in self.records.items()}

    def heads(self, ledgers=None):
        return {
            ledger: {"position": len(self.records[ledger]), "root": f"{at:02x}" * 32}
            for at, ledger in enumerate(sorted(self.records), 160)
            if ledgers is None or ledger in ledgers
        }


SIGNING = {
    person: Ed25519PrivateKey.from_private_bytes(person.ljust(32).encode()) for person in ("anna", "boris", "vera")
}


def key_of(person):
    return SIGNING[person].public_key().public_bytes_raw()


MANIFEST = {
    "flavour": "xgboost", "owner": "anna", "support_owner": "olga", "training_data": ["april"], "monitors": ["psi"],
    "documents": ["validation"], "environment": {"digest": "e" * 64}, "code": {"repository": "urn:git", "commit": "c"},
    "cutoff": 0.35,
}  # fmt: skip


def released(story, model, number, at, *, by="boris", waits=20, checks=30, author="anna", manifest=MANIFEST):
    """A version registered, checked, asked for, approved, and in production."""
    version, promotion = f"{model}.{number}", f"p-{model}-{number}"
    digest = f"{number}" * 64
    about = {"promotion_id": promotion, "version_id": version, "model_id": model, "version_digest": digest}
    stage = {"stage": "production", "tier": 1}
    exact = {"environment_digest": "e" * 64, "policy_revision": "2026-11-21"}
    story.tell("registry", registry.VersionRegistered(
        version_id=version, model_id=model, model_name=model, number=number, digest=digest, manifest=manifest,
        author=author, signature="s", key_id="k"), at, author)  # fmt: skip
    for kind in ("quality", "fairness", "validation"):
        story.tell("registry", registry.EvidenceAdded(
            version_id=version, version_digest=digest, kind=kind, outcome="passed", summary=f"{kind}: Gini 0.61",
            numbers={}, attachment="", digest="f" * 64, by="vera"), at + checks - 1, "vera")  # fmt: skip
    story.tell("registry", registry.PromotionRequested(
        **about, **exact, **stage, evidence={}, approvals_needed=1, author=author, requester=author, comment=""),
        at + checks, author)  # fmt: skip
    statement = ApprovalStatement(
        promotion=promotion, verdict="approve", version_digest=digest, person=by, key_id=key_id(key_of(by)), **exact
    )
    story.tell("registry", registry.PromotionApproved(
        **about, **exact, **stage, person=by, key_id=key_id(key_of(by)), signature=sign(statement, SIGNING[by]),
        comment="ok"),
        at + checks + waits, by)  # fmt: skip
    end = at + checks + waits + 0.5
    story.tell("registry", registry.PromotionCompleted(
        **about, environment_digest="e" * 64, **stage, approvers=(by,), at=moment(end)), end, by)  # fmt: skip
    story.tell("registry", registry.ProductionEntered(
        model_id=model, version_id=version, version_digest=digest, promotion_id=promotion,
        replaces=f"{model}.{number - 1}" if number > 1 else None), end, by)  # fmt: skip
    return end


def half_year():
    """Two models, four releases, one rollback, alerts, reads, refusals, an erasure, an incident, a decision."""
    story = Story()
    people = {"anna": "data_scientist", "boris": "risk_officer", "vera": "validator", "irina": "auditor"}
    for person, role in people.items():
        story.tell("registry", registry.PrincipalRegistered(
            login=person, person=person, name="Имя", kind="human", organisation="bank", until=None), 0)  # fmt: skip
        story.tell("registry", registry.RoleGranted(login=person, role=role), 0)
    for person in SIGNING:
        key = key_of(person)
        story.tell("registry", registry.KeyEnrolled(
            login=person, person=person, key_id=key_id(key), public_key=b64encode(key).decode()), 1)  # fmt: skip
    story.tell("registry", registry.PrincipalRegistered(
        login="carl", person="carl", name="Carl", kind="human", organisation="Vendor", until=date(2026, 12, 31)),
        0)  # fmt: skip
    for model, name, at in (("credit", "Кредитный скоринг", 2), ("fraud", "Антифрод", 300)):
        story.tell("registry", registry.UseCaseProposed(
            use_case_id=model, name=name, goal="Решать заявки на потребительский кредит", owner="boris",
            proposer="anna", decision_domain="credit", customer_reach="mass", materiality="high", tier=1),
            at)  # fmt: skip
        approved = registry.UseCaseApproved(use_case_id=model, approver="vera", comment="")
        story.tell("registry", approved, at + 5, "vera")
        owner = "anna" if model == "credit" else "carl"
        told = registry.ModelRegistered(model_id=model, name=name, owner=owner, description="")
        story.tell("registry", told, at + 6)
        story.tell("registry", registry.UseCaseAssigned(model_id=model, use_case_id=model), at + 6)
    first = released(story, "credit", 1, 50)
    released(story, "fraud", 1, 700, waits=150, checks=10)
    released(story, "credit", 2, 2400, waits=4, checks=12)
    story.tell("registry", registry.ProductionRolledBack(
        model_id="credit", from_version_id="credit.2", to_version_id="credit.1", to_version_digest="1" * 64,
        reason="Дрейф доходов клиентов", by="boris"), 2500, "boris")  # fmt: skip
    released(story, "credit", 3, 3000, waits=2, checks=8)
    story.tell("registry", registry.ModelRegistered(model_id="idea", name="Идея", owner="anna", description=""), 3100)
    story.tell("registry", registry.PrincipalEnded(login="carl"), 3200, "irina")
    story.tell("registry", AuthorizationDenied(
        authorization_id="z1", action="registry.promotion.approve", login="anna", person="anna",
        purpose="development", object_type="promotion", object_id="p-credit-1", rules=("four_eyes.self_approval",)),
        60)  # fmt: skip
    where = {"deployment_id": "credit.v1", "application": "credit", "api_version": "v1"}
    story.tell("inference", inference.Deployed(
        **where, model_id="credit", version_id="credit.1", version_digest="1" * 64, promotion_id="p-credit-1",
        follows="production", consumers=("bank-app",), most_rows=100, by="olga", at=moment(first + 1)),
        first + 1, "olga")  # fmt: skip
    story.tell("inference", inference.ConsumerGranted(**where, consumer="branch", by="olga"), first + 2, "olga")
    story.tell("inference", inference.Replaced(
        **where, model_id="credit", from_version_id="credit.1", version_id="credit.2", version_digest="2" * 64,
        cause="entered", cause_id="x", at=moment(2417)), 2417, "")  # fmt: skip
    story.tell("monitoring", monitoring.AlertOpened(
        alert_id="a1", episode=1, model_id="credit", version_id="credit.2", kind="drift", check="psi", feature="income",
        level="", bucket="2026-04", bucket_start=moment(2400), severity="critical", text="PSI 0.31",
        measure="psi", old=0.01, new=0.31, old_rows=1000, new_rows=1000, at=moment(2490)), 2490, "")  # fmt: skip
    story.tell("monitoring", monitoring.AlertResolved(
        alert_id="a1", episode=1, person="boris", verdict="confirmed", comment="rolled back", at=moment(2501)),
        2501, "boris")  # fmt: skip
    story.tell("features", features.SourceRegistered(
        source_id="cards", name="Карты", zone="etl_copy", description="", owner="carl", licence="",
        purpose="scoring", registered_by="olga"), 10, "olga")  # fmt: skip
    story.tell("features", features.ClassesConfirmed(
        source_id="cards", classes={"phone": "personal", "limit": "internal"}, kinds={}, confirmed_by="pavel",
        reason="reviewed"), 11, "pavel")  # fmt: skip
    story.tell("features", features.GrantIssued(
        grant_id="g1", grantee="anna", purpose="development", project="credit", columns={"cards": ("limit", "phone")},
        unmask=False, not_after=moment(1000), reason="model", issued_by="pavel"), 12, "pavel")  # fmt: skip
    story.tell("features", features.DatasetBuilt(
        dataset_id="april", name="Апрель", purpose="development", bundle_id="b", recipe={},
        reads={"cards": ("limit",)}, files=(), rows=30_000, columns=(), leak=(), read_id="r1", built_by="anna"),
        20)  # fmt: skip
    for number, at in ((1, 20), (2, 1500)):
        story.tell("access", ReadStarted(
            read_id=f"r{number}", kind="query", object_id="", person="anna", purpose="development", grants=("g1",),
            parsed={"cards": ("limit",)}, planned={"cards": ("limit",)}, masks={"cards": {"phone": "token"}},
            tokens="", sql_hashes=(), snapshots={}), at)  # fmt: skip
        story.tell("access", ReadCompleted(read_id=f"r{number}", rows=30_000, bytes=10, result_sha256="a" * 64), at)
    for _ in range(3):
        story.tell("access", AuthorizationDenied(
            authorization_id="z", action="features.query.run", login="anna", person="anna", purpose="development",
            object_type="query", object_id="q", rules=("personal.no_grant",)), 30)  # fmt: skip
    lease = story.tell("decisions", inference.LeaseGranted(
        consumer="bank-app", person="bank-app", application="credit", purpose="scoring", action="inference.score",
        revision="2026-11-21", not_after=moment(first + 30)), first + 3, "bank-app")  # fmt: skip
    story.tell("decisions", inference.DecisionMade(
        application="credit", api_version="v1", model_id="credit", version_id="credit.1", version_digest="1" * 64,
        consumer="bank-app", entity="account_id", entity_id="17", inputs={"income": 100}, looked_up=(),
        score=0.41, cutoff=0.35, decision="refuse", reasons=(inference.ReasonCode(name="income", contribution=0.4),),
        decided_at=moment(first + 4), as_of=None, kind="single", job_id="", row=None),
        first + 4, "bank-app", authorization={"lease": str(lease.event_id)})  # fmt: skip
    about = {"subject": "account_id:17", "erasure_id": "e1"}
    story.tell("audit", ErasureRequested(
        **about, reason="Отзыв согласия субъекта", by="irina", at=moment(3300)), 3300, "irina")  # fmt: skip
    story.tell("audit", ErasureApproved(**about, by="pavel", at=moment(3302)), 3302, "pavel")
    story.tell("audit", SubjectKeyDestroyed(**about, key_ids=("a" * 32,), at=moment(3302)), 3302.01, "")
    story.tell("audit", HoldPlaced(subject="account_id:18", reason="Спор", by="irina", at=moment(3303)), 3303, "irina")
    story.tell("audit", IncidentOpened(
        ledger="decisions", kind="hole", position=3, detail="decisions/3 is missing", at=moment(3400)),
        3400, "")  # fmt: skip
    story.tell("audit", IncidentClosed(
        ledger="decisions", person="irina", comment="сеть восстановлена, факт получен", at=moment(3401)),
        3401, "irina")  # fmt: skip
    return story
