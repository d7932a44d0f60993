"""The read models of voices, heartbeats and claims are folds: any cuts and interleavings end in the same rows."""

from datetime import timedelta

from letopis.audit.claim.events import ClaimFound, ClaimsEvaluated
from letopis.audit.claim.views import ClaimsEvaluation
from letopis.audit.contract import PUBLISHED as AUDIT
from letopis.audit.voice.events import Counted, ExpectationSet, HeartbeatRecorded, SilenceBegan, SilenceEnded
from letopis.audit.voice.views import Heartbeats, Silences, Speakers
from letopis.common.testing.sealing import same_seal
from letopis.common.testing.views import check_view
from letopis.inference.contract import PUBLISHED as INFERENCE
from letopis.inference.contract import DecisionMade, Deployed, Retired


def records(kit, ledger, catalogue, *facts):
    found = []
    for position, fact in enumerate(facts, 1):
        encoded = catalogue.encode(fact, same_seal)
        record = kit.record(ledger, position, encoded.type, {})
        found.append(kit.replace(record, data=encoded.data))
    return found


def deployed(kit, id):
    return Deployed(
        deployment_id=id, application="credit", api_version="v1", model_id="m", version_id="m.1", version_digest="d",
        promotion_id="p", follows="production", consumers=(), most_rows=1, by="olga", at=kit.START,
    )  # fmt: skip


def decided(kit):
    return DecisionMade(
        application="credit", api_version="v1", model_id="m", version_id="m.1", version_digest="d", consumer="shop",
        entity="a", entity_id="1", inputs={}, looked_up=(), score=0.5, cutoff=0.5, decision="refuse", reasons=None,
        decided_at=kit.START, as_of=None, kind="single", job_id="", row=None,
    )  # fmt: skip


class TestSpeakers:
    def test_tell_who_answers_and_when_it_last_decided(self, kit):
        retired = Retired(
            deployment_id="one", application="credit", api_version="v1", model_id="m", version_id="m.1", reason="old",
            by="olga", at=kit.START,
        )  # fmt: skip
        told = [
            *records(kit, "inference", INFERENCE["inference"], deployed(kit, "one"), deployed(kit, "two"), retired),
            *records(kit, "decisions", INFERENCE["decisions"], decided(kit), decided(kit)),
        ]
        (row,) = check_view(Speakers, told)["speaker"].values()
        assert row["live"] == ["two"]
        assert row["decided_at"] == "2026-11-21T06:55:10.123456Z"


class TestAudit:
    def test_silences_heartbeats_and_evaluations_are_folds(self, kit):
        at, who = kit.START, {"kind": "model", "name": "credit"}
        count = Counted(owner=3, copied=3, sealed=3, halted=False)
        beat = HeartbeatRecorded(number=1, complete=True, missing=(), ledgers={"registry": count}, note="n", at=at)
        found = ClaimFound(claim_id="one", verdict="held", checked=3, open=0, violations=0)
        evaluated = ClaimsEvaluated(
            evaluation_id="e", positions={"registry": 3}, roots={}, generator_sha256="g", sha256="s", bytes=1,
            claims=(found,), at=at,
        )  # fmt: skip
        told = records(
            kit, "audit", AUDIT["audit"],
            ExpectationSet(**who, within_seconds=60, reason="because it must", by="olga"),
            SilenceBegan(**who, within_seconds=60, last_at=None, at=at),
            beat,
            SilenceEnded(**who, heard_at=at, at=at + timedelta(seconds=9)),
            evaluated,
            SilenceBegan(**who, within_seconds=60, last_at=at, at=at + timedelta(seconds=99)),
        )  # fmt: skip
        (row,) = check_view(Silences, told)["silence"].values()
        assert (row["silent"], row["times"], row["expected_by"]) == (True, 2, "olga")
        assert len(check_view(Heartbeats, told)["heartbeat"]) == 1
        assert len(check_view(ClaimsEvaluation, told)["claims_evaluation"]) == 1
