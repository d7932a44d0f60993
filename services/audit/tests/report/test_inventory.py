"""The model inventory: the facts of the registry in, one document out, the same bytes every time."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from letopis.audit.report import inventory
from letopis.common.envelope import Record, record_to_json
from letopis.common.testing.sealing import same_seal
from letopis.inference import contract as inference
from letopis.registry import contract

START = datetime(2026, 11, 21, tzinfo=UTC)
HEADS = {"registry": {"position": 20, "root": "ab" * 32}, "inference": {"position": 0, "root": "cd" * 32}}


def told(*facts, catalogue=contract.CONTRACT, ledger="registry"):
    """Facts as records, encoded by their own catalogue."""
    records = []
    for position, fact in enumerate(facts, 1):
        encoded = catalogue.encode(fact, same_seal)
        record = Record(
            ledger=ledger, position=position, stream="s:1", version=position, prev=0, event_id=UUID(int=position),
            type=encoded.type, schema_version=encoded.schema_version, recorded_at=START + timedelta(days=position),
            command_id=None, salt=bytes(16), data=encoded.data, meta=b"{}",
        )  # fmt: skip
        records.append(record_to_json(record))
    return records


def report(*facts):
    return json.loads(inventory.build({"registry": told(*facts), "inference": []}, HEADS))


MANIFEST = {
    "flavour": "xgboost", "owner": "anna", "support_owner": "olga", "training_data": ["april"], "monitors": ["psi"],
    "documents": ["validation"], "environment": {"digest": "e" * 64}, "code": {"commit": "c"}, "cutoff": 0.35,
}  # fmt: skip
USE_CASE = contract.UseCaseProposed(
    use_case_id="credit", name="Consumer credit", goal="approve", owner="boris", proposer="anna",
    decision_domain="credit", customer_reach="mass", materiality="high", tier=1,
)  # fmt: skip
BEHIND = {"promotion_id": "p1", "version_id": "credit.1", "model_id": "credit", "version_digest": "d" * 64}
STAGE = {"stage": "production", "tier": 1}
FULL = (
    USE_CASE,
    contract.UseCaseApproved(use_case_id="credit", approver="vera", comment=""),
    contract.ModelRegistered(model_id="credit", name="Кредит", owner="anna", description=""),
    contract.UseCaseAssigned(model_id="credit", use_case_id="credit"),
    contract.VersionRegistered(
        version_id="credit.1", model_id="credit", model_name="Кредит", number=1, digest="d" * 64, manifest=MANIFEST,
        author="anna", signature="s", key_id="k",
    ),
    contract.EvidenceAdded(
        version_id="credit.1", version_digest="d" * 64, kind="quality", outcome="passed", summary="Gini 0.5",
        numbers={}, attachment="", digest="f" * 64, by="vera",
    ),
    contract.PromotionRequested(
        **BEHIND, **STAGE, environment_digest="e" * 64, evidence={"quality": "f" * 64}, policy_revision="r1",
        approvals_needed=1, author="anna", requester="anna", comment="",
    ),
    contract.PromotionApproved(
        **BEHIND, **STAGE, environment_digest="e" * 64, policy_revision="r1", person="boris", key_id="b",
        signature="sig", comment="",
    ),
    contract.PromotionCompleted(
        **BEHIND, **STAGE, environment_digest="e" * 64, approvers=("boris",), at=START,
    ),
    contract.ProductionEntered(
        model_id="credit", version_id="credit.1", version_digest="d" * 64, promotion_id="p1", replaces=None
    ),
)  # fmt: skip


class TestModel:
    def test_with_everything_has_no_gaps(self):
        """Row: which version is in production, who approved it, on what evidence."""
        [model] = report(*FULL)["models"]
        assert model["gaps"] == []
        assert model["tier"] == 1
        assert model["production"] == {
            "version_id": "credit.1", "since": "2026-12-01T00:00:00.000000Z", "position": "registry/10",
            "approvers": ["boris"],
        }  # fmt: skip
        [version] = model["versions"]
        assert version["evidence"]["quality"]["position"] == "registry/6"
        assert version["promotions"][0]["approvals"][0]["signature"] == "sig"

    @pytest.mark.parametrize(
        ("left_out", "gap"),
        [
            (0, "use case not approved"),
            (1, "use case not approved"),
            (3, "no use case"),
            (4, "in production without a known version"),
            (5, "production version has no evidence"),
            (7, "production version has no approval"),
        ],
    )
    def test_without_a_fact_shows_the_gap(self, left_out, gap):
        facts = [fact for number, fact in enumerate(FULL) if number != left_out]
        if left_out == 0:
            facts = [fact for fact in facts if not isinstance(fact, contract.UseCaseApproved)]
        [model] = report(*facts)["models"]
        assert gap in model["gaps"]

    def test_with_failed_evidence_shows_it(self):
        failed = contract.EvidenceAdded(
            version_id="credit.1", version_digest="d" * 64, kind="fairness", outcome="failed", summary="", numbers={},
            attachment="", digest="", by="vera",
        )  # fmt: skip
        assert report(*FULL, failed)["models"][0]["gaps"] == ["evidence fairness failed"]

    def test_rolled_back_tells_both_changes(self):
        back = contract.ProductionRolledBack(
            model_id="credit", from_version_id="credit.2", to_version_id="credit.1", to_version_digest="d" * 64,
            reason="drift", by="olga",
        )  # fmt: skip
        [model] = report(*FULL, back)["models"]
        assert [one["change"] for one in model["history"]] == ["entered", "rolled_back"]
        assert model["production"]["since"] == "2026-12-02T00:00:00.000000Z"

    def test_rejected_promotion_is_told(self):
        no = contract.PromotionRejected(
            **BEHIND, **STAGE, person="boris", key_id="b", signature="s", comment="too simple"
        )
        [model] = report(*FULL[:7], no)["models"]
        promotion = model["versions"][0]["promotions"][0]
        assert (promotion["state"], promotion["rejected_by"]) == ("rejected", "boris")


class TestReport:
    def test_has_the_same_bytes_every_time(self):
        facts = {"registry": told(*FULL), "inference": []}
        first = inventory.build(facts, HEADS)
        assert inventory.build(facts, HEADS) == first
        assert inventory.build({"registry": iter(told(*FULL))}, dict(reversed(HEADS.items()))) == first

    def test_does_not_depend_on_facts_of_other_types(self):
        other = contract.RoleGranted(login="anna", role="data_scientist")
        mixed = [*told(*FULL)]
        mixed.insert(Random(7).randrange(len(mixed)), told(other)[0])
        assert inventory.build({"registry": mixed}, HEADS) == inventory.build({"registry": told(*FULL)}, HEADS)

    def test_names_its_code_its_positions_and_its_roots(self):
        document = report(*FULL)
        source = Path(inventory.__file__).read_bytes()
        assert document["report"]["generator_sha256"] == sha256(source).hexdigest()
        assert document["as_of"]["registry"] == {
            "first_position": 1, "position": 20, "root": "ab" * 32, "gaps": 0,
            "last_fact_read": "2026-12-01T00:00:00.000000Z",
        }  # fmt: skip

    def test_as_csv_has_a_row_for_each_model(self):
        rows = list(csv.reader(io.StringIO(inventory.table(json.dumps(report(*FULL)).encode()).decode())))
        assert rows[0][:3] == ["model_id", "name", "owner"]
        assert rows[1][:8] == [
            "credit", "Кредит", "anna", "credit", "1", "1", "credit.1", "2026-12-01T00:00:00.000000Z"
        ]  # fmt: skip

    def test_of_no_facts_has_no_models(self):
        assert report()["models"] == []

    def test_needs_the_standard_library_alone(self):
        imports = [line for line in Path(inventory.__file__).read_text("utf-8").splitlines() if "import " in line]
        assert not [line for line in imports if "letopis" in line]


class TestDeployment:
    def test_is_told_with_its_version_and_consumers(self):
        """Row: who is answered by which version, at which address."""
        where = {"deployment_id": "credit.v1", "application": "credit", "api_version": "v1"}
        facts = [
            inference.Deployed(
                **where, model_id="credit", version_id="credit.1", version_digest="d" * 64, promotion_id="p1",
                follows="production", consumers=("bank-app",), most_rows=100, by="olga", at=START,
            ),
            inference.ConsumerGranted(**where, consumer="branch", by="olga"),
            inference.Replaced(
                **where, model_id="credit", from_version_id="credit.1", version_id="credit.2", version_digest="e" * 64,
                cause="entered", cause_id="x", at=START,
            ),
            inference.ConsumerRevoked(**where, consumer="bank-app", by="olga"),
        ]  # fmt: skip
        records = told(*facts, catalogue=inference.CONTRACT, ledger="inference")
        [model] = json.loads(inventory.build({"registry": told(*FULL), "inference": records}, HEADS))["models"]
        [deployment] = model["deployments"]
        assert deployment["version_id"] == "credit.2"
        assert deployment["consumers"] == ["branch"]
        assert deployment["position"] == "inference/3"


class TestFacts:
    def test_that_are_read_exist_in_the_contracts(self):
        assert contract.CONTRACT.types | inference.CONTRACT.types >= inventory.TYPES
