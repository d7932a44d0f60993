"""Released facts keep their shape for ever: the stored bytes of one of each kind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from letopis.common.serialization import plain
from letopis.common.testing.sealing import same_seal
from letopis.inference.contract import (
    CONTRACT,
    DECISIONS,
    ChunkScored,
    ConsumerGranted,
    ConsumerRevoked,
    DecisionMade,
    DecisionRefused,
    DecisionRescored,
    DecisionRevealed,
    Deployed,
    FieldProblem,
    JobCompleted,
    JobFailed,
    JobStarted,
    JournalDamageFound,
    JournalOpened,
    LeaseGranted,
    LoadFailed,
    LookedUp,
    ReasonCode,
    Replaced,
    Retired,
)

GOLDEN = Path(__file__).with_name("golden")
AT = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)
MAY = datetime(2005, 5, 31, tzinfo=UTC)
JOURNAL = "01a1fdc6-2ee7-741a-bc7d-cacf22562e94"
PLACE = {"application": "credit", "api_version": "v1"}
DEPLOYMENT = {"deployment_id": "credit.v1"} | PLACE
FACTS = [
    Deployed(
        **DEPLOYMENT,
        model_id="credit-default",
        version_id="credit-default.3",
        version_digest="ab" * 32,
        promotion_id="p-3",
        follows="production",
        consumers=("bank-app",),
        most_rows=1000,
        by="Olga",
        at=AT,
    ),
    Replaced(
        **DEPLOYMENT,
        model_id="credit-default",
        from_version_id="credit-default.3",
        version_id="credit-default.4",
        version_digest="cd" * 32,
        cause="rolled_back",
        cause_id=JOURNAL,
        at=AT,
    ),
    LoadFailed(**DEPLOYMENT, version_id="credit-default.4", code="version.artifact_bad", detail="Нет файла", at=AT),
    ConsumerGranted(**DEPLOYMENT, consumer="call-centre", by="Olga"),
    ConsumerRevoked(**DEPLOYMENT, consumer="call-centre", by="Olga"),
    Retired(
        **DEPLOYMENT,
        model_id="credit-default",
        version_id="credit-default.3",
        reason="over",
        by="Olga",
        at=AT,
    ),
    JobStarted(
        job_id=JOURNAL,
        **DEPLOYMENT,
        model_id="credit-default",
        version_id="credit-default.3",
        version_digest="ab" * 32,
        source_sha256="ef" * 32,
        rows=30_000,
        chunk_rows=1000,
        as_of=MAY,
        decisions_head=17,
        consumer="bank-app",
        at=AT,
    ),
    JobCompleted(
        job_id=JOURNAL,
        **PLACE,
        model_id="credit-default",
        version_id="credit-default.3",
        rows=30_000,
        scored=29_999,
        refused=1,
        output_sha256="01" * 32,
        at=AT,
    ),
    DecisionRescored(
        decision_id=JOURNAL,
        version_id="credit-default.1",
        version_digest="ab" * 32,
        recorded=0.25,
        rescored=0.25,
        equal=True,
        erased=False,
        by="irina",
    ),
    DecisionRevealed(decision_id=JOURNAL, subject="account_id:17", fields=("inputs",), erased=False, by="irina"),
    JobFailed(job_id=JOURNAL, **PLACE, code="object.damaged", detail="changed", at=AT),
    DecisionMade(
        **PLACE,
        model_id="credit-default",
        version_id="credit-default.3",
        version_digest="ab" * 32,
        consumer="bank-app",
        entity="account_id",
        entity_id="17",
        inputs={"limit_bal": 20000.0, "age": 24, "married": True, "pay_0": None, "tiny": -0.0},
        looked_up=(LookedUp(name="age", status="PRESENT", event_time="2005-04-30T00:00:00Z", known_time=None),),
        score=0.12345679104328156,
        cutoff=0.5,
        decision="accept",
        reasons=(ReasonCode(name="pay_0", contribution=-0.25),),
        decided_at=AT,
        as_of=MAY,
        kind="batch",
        job_id=JOURNAL,
        row=3,
    ),
    DecisionRefused(
        **PLACE,
        version_id="credit-default.3",
        consumer="bank-app",
        code="scoring.bad_rows",
        problems=(FieldProblem(field="age", message="must be a number or null"),),
        body_sha256="23" * 32,
        refused_at=AT,
        kind="single",
        job_id="",
        row=None,
    ),
    LeaseGranted(
        consumer="bank-app",
        person="",
        application="credit.v1",
        purpose="credit decisions",
        action="inference.scoring.score",
        revision="r1",
        not_after=AT,
    ),
    JournalOpened(source_id=JOURNAL, durability="power", previous_source_id="", previous_seq=0, previous_chain=""),
    JournalDamageFound(source_id=JOURNAL, seq=7, detail="record 7 is bad"),
    ChunkScored(job_id=JOURNAL, chunk=2, first_row=2000, rows=1000, scored=999, refused=1),
]
ALL = CONTRACT | DECISIONS


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_keeps_its_bytes(fact: object) -> None:
    encoded = ALL.encode(fact, same_seal)
    golden = (GOLDEN / f"{encoded.type}.{encoded.schema_version}.json").read_bytes().rstrip(b"\n")
    assert encoded.data == golden
    back = ALL.decode(encoded.type, encoded.schema_version, golden)
    assert {name for name, value in plain(fact).items() if plain(back)[name] != value} == set(ALL.personal(type(fact)))


def test_every_fact_has_its_golden_bytes() -> None:
    assert {name for name, _, _ in ALL.entries} == {ALL.name(fact)[0] for fact in FACTS}
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{version}.json" for name, version, _ in ALL.entries}
