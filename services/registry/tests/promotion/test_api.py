"""Promotion over HTTP: what is missing is named, four eyes hold, signatures are over the exact digests."""

import json
from datetime import timedelta

import pytest


class TestPreview:
    async def test_lists_everything_a_draft_lacks(self, staffed):
        version_id = await staffed.version(owner="", monitors=[], environment={"requirements": ["xgboost>=3"]})
        told = (await staffed.get(f"/v1/versions/{version_id}/preview", "anna")).json()
        assert not told["ready"]
        assert {"part owner", "part monitors", "exact version of xgboost>=3", "approved use case"} <= set(
            told["missing"]
        )
        assert told["tier"] == 1

    async def test_is_empty_for_what_is_ready(self, stocked):
        told = (await stocked.get("/v1/versions/credit.1/preview", "anna")).json()
        assert (told["ready"], told["missing"]) == (True, [])


class TestRequest:
    async def test_names_the_missing_evidence(self, stocked):
        second = await stocked.version(b"[]")
        answer = await stocked.post("/v1/promotions", "anna", {"version_id": second})
        assert answer.status_code == 409
        assert answer.json()["code"] == "promotion.evidence_missing"
        assert "fairness" in answer.json()["missing"]

    async def test_refuses_without_a_use_case(self, staffed):
        answer = await staffed.post("/v1/promotions", "anna", {"version_id": await staffed.version()})
        assert answer.json()["code"] == "promotion.use_case_missing"

    async def test_knows_no_version_of_that_name(self, staffed):
        assert (await staffed.post("/v1/promotions", "anna", {"version_id": "credit.9"})).status_code == 404


class TestApprove:
    async def test_another_persons_signature_puts_it_into_production(self, stocked):
        asked = await stocked.promote("credit.1")
        page = (await stocked.get("/v1/models/credit", "boris")).json()
        assert page["in_production"] == "credit.1"
        seen = (await stocked.get(f"/v1/promotions/{asked['promotion_id']}", "irina")).json()
        assert seen["state"] == "completed"
        assert [vote["person"] for vote in seen["approvals"]] == ["boris"]

    async def test_the_author_is_denied_and_the_denial_is_a_fact(self, stocked):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        path = f"/v1/promotions/{asked['promotion_id']}/approvals"
        answer = await stocked.post(path, "anna", stocked.signed(asked, "anna"))
        assert answer.status_code == 403
        assert [one["rule"] for one in answer.json()["reasons"]] == ["four_eyes.self_approval"]
        last = (await stocked.resources.store.read("registry", 0, 1000))[-1]
        assert last.type == "registry.authorization.denied"
        assert answer.json()["authorization_id"].encode() in last.data

    @pytest.mark.parametrize(
        "moved", ["version_digest", "environment_digest", "policy_revision", "key_id", "signature"]
    )
    async def test_refuses_a_signature_over_anything_else(self, stocked, moved):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        other = "AAAA" if moved == "signature" else "0" * 16
        body = stocked.signed(asked, "boris", **{moved: other})
        answer = await stocked.post(f"/v1/promotions/{asked['promotion_id']}/approvals", "boris", body)
        assert answer.status_code == 409
        assert answer.json()["code"] == "approval.signature_invalid"

    async def test_refuses_another_persons_signature(self, stocked):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        body = stocked.signed(asked, "vera")
        answer = await stocked.post(f"/v1/promotions/{asked['promotion_id']}/approvals", "boris", body)
        assert answer.json()["code"] == "approval.signature_invalid"

    async def test_an_approval_is_no_rejection(self, stocked):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        body = stocked.signed(asked, "boris", verdict="approve")
        answer = await stocked.post(f"/v1/promotions/{asked['promotion_id']}/rejections", "boris", body)
        assert answer.json()["code"] == "approval.signature_invalid"

    async def test_a_repeated_approval_gets_the_first_answer(self, stocked):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        path, body = f"/v1/promotions/{asked['promotion_id']}/approvals", stocked.signed(asked, "boris")
        first = await stocked.post(path, "boris", body, key="once")
        again = await stocked.post(path, "boris", body, key="once")
        assert first.content == again.content
        anew = await stocked.post(path, "boris", body)
        assert anew.json()["code"] == "promotion.decided"


class TestRollBack:
    async def test_returns_to_the_version_before_and_needs_a_reason(self, stocked):
        await stocked.promote("credit.1")
        await stocked.promote(await stocked.ready(b"[]"))
        denied = await stocked.post("/v1/models/credit/rollbacks", "boris", {"reason": "no"})
        assert denied.json()["reasons"][0]["rule"] == "rollback.reason"
        done = await stocked.post("/v1/models/credit/rollbacks", "boris", {"reason": "alarms since the morning"})
        assert done.json()["facts"][0]["data"]["to_version_id"] == "credit.1"
        page = (await stocked.get("/v1/models/credit", "irina")).json()
        assert page["in_production"] == "credit.1"
        assert [change["how"] for change in page["history"]] == ["promotion", "promotion", "rollback"]


class TestStepUp:
    async def test_the_strictest_tier_wants_a_second_factor_of_the_last_quarter_of_an_hour(self, stocked):
        made = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        asked = made.json()["facts"][0]["data"]
        assert asked["tier"] == 1
        path, signed = f"/v1/promotions/{asked['promotion_id']}/approvals", stocked.signed(asked, "boris")
        stocked.resources.verifier.factor_age = timedelta(minutes=16)
        refused = await stocked.post(path, "boris", signed)
        assert [one["rule"] for one in refused.json()["reasons"]] == ["step_up.stale"]
        assert "letopis login --factor" in refused.json()["reasons"][0]["remedy"]
        stocked.resources.verifier.factor_age = timedelta(minutes=14)
        assert (await stocked.post(path, "boris", signed)).status_code == 201
        # When it was shown stands in the fact, beside the decision that allowed it.
        record = next(
            one
            for one in await stocked.resources.store.read("registry", 0, 1000)
            if one.type.endswith(".approved") and one.stream.startswith("promotion:")
        )
        allowed = json.loads(record.meta)["authorization"]["input"]
        assert 14 * 60 <= allowed["facts"]["mfa_age"] < 15 * 60
        assert allowed["subject"]["mfa_at"]
