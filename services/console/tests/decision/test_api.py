"""One decision: shown as inference tells it, proved by audit's log, checked by the console itself."""

import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.common.envelope import record_from_json
from letopis.console.proof.checking import check_inclusion, signed_head


@pytest.fixture
async def refused(store):
    return (await store.read("decisions", 0, 10))[0]


@pytest.fixture
def unsealed(neighbours):
    """Nothing of the decisions is sealed meanwhile."""
    neighbours.sealed["decisions"] = 0
    yield
    neighbours.sealed.clear()


async def shown(client, record):
    answer = await client.get(f"/decisions/{record.event_id}")
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


class TestDecision:
    async def test_shows_score_reasons_and_who_approved(self, browser, refused):
        page = await shown(browser("boris"), refused)
        assert re.search(r"Client 1 <span class=.badge bad.>refuse", page)
        assert "0.8312" in page
        assert "+1.250 in log-odds" in page
        assert re.search(r"<td>boris</td>.*approves.*<code>00aa</code>", page)

    async def test_shows_what_was_known_and_since_when(self, browser, refused):
        page = await shown(browser("boris"), refused)
        assert "looked up online, present" in page
        assert "2005-09-02 00:00:00" in page
        assert "20,000" in page
        assert "not known" in page

    async def test_without_the_right_shows_the_inputs_sealed(self, browser, refused, neighbours):
        problem = {"code": "forbidden", "title": "No", "detail": "none of your roles may do this", "status": 403}
        path = f"/v1/decisions/{refused.event_id}/reveals"
        neighbours.answers["POST", "inference", path] = (403, problem, {})
        page = await shown(browser("boris"), refused)
        assert "The inputs are sealed: none of your roles may do this" in page
        told = {"decision_id": str(refused.event_id), "subject": "", "erased": True, "inputs": None}
        neighbours.answers["POST", "inference", path] = (201, told, {})
        erased = await shown(browser("boris"), refused)
        neighbours.answers.clear()
        assert "The inputs were erased" in erased
        for one in (page, erased):
            assert "20,000" not in one
            assert "verified</span>" in one

    async def test_is_proved(self, browser, refused):
        page = await shown(browser("boris"), refused)
        assert re.search(r"verified</span> leaf 0 of the signed tree of 2 facts", page)
        assert "Download proof" in page

    async def test_that_is_not_sealed_yet_says_so(self, browser, refused, unsealed):
        page = await shown(browser("boris"), refused)
        assert "Not under a signed checkpoint yet" in page
        assert "Download proof" not in page

    async def test_whose_row_was_changed_is_named_broken(self, browser, refused, neighbours):
        from console_neighbours import whole

        told = whole(refused)
        told["record"]["data"] = told["record"]["data"].replace("0.8312", "0.1312")
        neighbours.answers["GET", "inference", f"/v1/decisions/{refused.event_id}"] = (200, told, {})
        page = await shown(browser("boris"), refused)
        neighbours.answers.clear()
        assert "broken</span> the record does not lead to the signed root" in page

    async def test_under_a_head_of_another_key_is_named_broken(self, browser, refused, neighbours):
        await shown(browser("boris"), refused)
        kept = neighbours.key
        neighbours.key = Ed25519PrivateKey.generate()
        try:
            page = await shown(browser("boris"), refused)
        finally:
            neighbours.key = kept
        assert "broken</span> the checkpoint is not signed by the log" in page

    async def test_stands_while_audit_is_away(self, browser, refused, neighbours):
        neighbours.away.add("audit")
        try:
            page = await shown(browser("boris"), refused)
        finally:
            neighbours.away.clear()
        assert "not shown</span> audit cannot be reached" in page

    async def test_is_not_asked_for_without_a_purpose(self, browser, refused, neighbours):
        asked = len(neighbours.requests)
        answer = await browser("boris", purpose="").get(f"/decisions/{refused.event_id}")
        assert answer.headers["location"].startswith("/purpose?next=%2Fdecisions%2F")
        assert len(neighbours.requests) == asked

    async def test_a_role_that_policy_does_not_name_is_refused(self, browser, refused):
        answer = await browser("oleg").get(f"/decisions/{refused.event_id}")
        assert answer.status_code == 403

    async def test_the_owners_refusal_is_shown_with_its_reasons(self, browser, refused, neighbours):
        reasons = [{"rule": "purpose.unfit", "owner": "Risk", "message": "not for this", "remedy": "ask Risk"}]
        problem = {"code": "forbidden", "title": "Policy does not allow this", "detail": "no", "reasons": reasons}
        neighbours.answers["GET", "inference", f"/v1/decisions/{refused.event_id}"] = (403, problem, {})
        answer = await browser("boris").get(f"/decisions/{refused.event_id}")
        neighbours.answers.clear()
        assert answer.status_code == 403
        assert "purpose.unfit" in answer.text
        assert "ask Risk" in answer.text

    async def test_nobody_knows_is_a_page(self, browser):
        answer = await browser("boris").get("/decisions/none")
        assert answer.status_code == 404
        assert "unknown" in answer.text


class TestProofFile:
    async def test_holds_all_that_another_verifier_needs(self, browser, refused):
        answer = await browser("boris").get(f"/decisions/{refused.event_id}/proof")
        assert answer.headers["content-disposition"].startswith("attachment")
        told = json.loads(answer.content)
        assert record_from_json(told["record"]) == refused
        head = signed_head(told["checkpoint"], told["key"])
        check_inclusion(bytes.fromhex(told["leaf_hash"]), 0, head, [bytes.fromhex(one) for one in told["hashes"]])
        assert (head.size, head.root.hex()) == (told["size"], told["root"])


class TestDecisions:
    async def test_lists_the_latest_refused(self, browser, refused):
        answer = await browser("boris").get("/decisions?decision=refuse")
        assert f"/decisions/{refused.event_id}" in answer.text
        assert answer.text.count('<td><a href="/decisions/') == 1

    async def test_while_inference_is_away_says_so(self, browser, neighbours):
        neighbours.away.add("inference")
        try:
            answer = await browser("boris").get("/decisions")
        finally:
            neighbours.away.clear()
        assert answer.status_code == 503
        assert "inference cannot be reached" in answer.text
