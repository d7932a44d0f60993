"""Evidence over HTTP: proofs, one fact, whole packs; each showing leaves a fact."""

import json
from uuid import uuid4

import psycopg
import pytest
from audit_story import half_year

from letopis.audit.evidence.program import remade
from letopis.audit.evidence.verifier import archive
from letopis.audit.evidence.verifier.merkle import consistent, included
from letopis.audit.evidence.verifier.note import head_of, keys_of
from letopis.audit.evidence.verifier.pack import verify
from letopis.audit.log.merkle import leaf_hash, root_of
from letopis.common.envelope import record_to_json
from letopis.common.leaf import leaf_bytes
from letopis.common.leaf import leaf_hash as hash_of


@pytest.fixture
def stock(little):
    return little


@pytest.fixture
def records(kit):
    """The decisions that are sealed."""
    return kit.decisions(20)


class TestProofs:
    async def test_of_inclusion_lead_to_the_signed_root(self, chronicle, records):
        told = (await chronicle.get("/v1/proofs/inclusion", ledger="decisions", position=7)).json()
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        assert included(6, 20, hash_of(records[6]), proof).hex() == told["root"]
        assert told["root"] == root_of(map(hash_of, records)).hex()

    async def test_of_consistency_lead_to_both_roots(self, chronicle, records):
        told = (await chronicle.get("/v1/proofs/consistency", ledger="decisions", old=7)).json()
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        heads = root_of(map(hash_of, records[:7])), root_of(map(hash_of, records))
        assert consistent(7, 20, *heads, proof)
        assert (told["old_root"], told["root"]) == tuple(one.hex() for one in heads)

    async def test_beyond_the_signed_head_are_refused(self, chronicle):
        for query in ({"position": 21}, {"position": 7, "size": 21}, {"position": 7, "size": 6}):
            answer = await chronicle.get("/v1/proofs/inclusion", ledger="decisions", **query)
            assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")
        answer = await chronicle.get("/v1/proofs/consistency", ledger="decisions", old=21)
        assert answer.status_code == 409
        assert (await chronicle.get("/v1/proofs/inclusion", ledger="nothing", position=1)).status_code == 404


class TestEvidence:
    async def test_of_one_fact_is_proved_and_recorded(self, chronicle, records):
        """Row: who looked at what is a fact too."""
        told = (await chronicle.get(f"/v1/evidence/{records[6].event_id}")).json()
        assert told["record"] == record_to_json(records[6])
        assert told["leaf"].encode() == leaf_bytes(records[6])
        assert told["leaf_hash"] == leaf_hash(told["leaf"].encode()).hex()
        keys = keys_of((await chronicle.client.get("/log/decisions/key")).text)
        head = head_of(told["checkpoint"].encode(), keys)
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        assert included(6, head.size, bytes.fromhex(told["leaf_hash"]), proof) == head.root
        [fact] = await chronicle.facts()
        assert fact.type == "audit.evidence.read"
        assert json.loads(fact.data) == {
            "event_id": str(records[6].event_id), "ledger": "decisions", "position": 7, "by": "irina"
        }  # fmt: skip

    async def test_is_denied_and_the_denial_recorded(self, chronicle, records):
        answer = await chronicle.get(f"/v1/evidence/{records[6].event_id}", by="anna")
        assert answer.status_code == 403
        assert [fact.type for fact in await chronicle.facts()] == ["audit.authorization.denied"]

    async def test_of_an_unknown_fact_is_not_found(self, chronicle):
        for event_id in (uuid4(), "nothing"):
            assert (await chronicle.get(f"/v1/evidence/{event_id}")).status_code == 404


class TestScopes:
    """A pack about a decision, a version, a promotion, a report, a period: each verifies alone."""

    @pytest.fixture
    def stock(self, half_a_year):
        return half_a_year

    @pytest.fixture
    def year(self):
        return half_year()

    async def pack(self, chronicle, body):
        made = await chronicle.post("/v1/packs", body, by="rita")
        assert made.status_code == 201, made.text
        data = (await chronicle.get(f"/v1/packs/{made.json()['id']}", by="rita")).content
        verdict = verify(data, remade)
        assert verdict.faults == []
        return made.json()["facts"][0]["data"], verdict.checks, data

    async def test_of_a_decision_holds_what_explains_it(self, chronicle, year):
        decision = str(year.records["decisions"][1].event_id)
        fact, checks, _ = await self.pack(chronicle, {"decision_id": decision})
        assert fact["excerpts"] == {"decisions": [1, 2], "features": [4]}
        assert any(one.startswith("report decision_file: made again") for one in checks)

    async def test_of_a_version_and_of_a_promotion_holds_training_data_and_alerts(self, chronicle, year):
        for body in ({"version_id": "credit.2"}, {"promotion_id": "p-credit-2"}):
            fact, _, _ = await self.pack(chronicle, body)
            assert fact["excerpts"] == {"features": [4], "monitoring": [1, 2]}

    async def test_of_a_report_holds_its_facts_its_pages_and_its_envelope(self, chronicle, year, kit):
        issued = (await chronicle.post("/v1/reports", {"type": "personal_data"})).json()
        await chronicle.seal("features", [kit.record("features", 5, "features.x.y", {})])
        _, checks, data = await self.pack(chronicle, {"report_id": issued["id"]})
        assert any("envelope: asked for by irina for supervision" in one for one in checks)
        members = {one.name: one.data for one in archive.read(data)[0]}
        pages = (await chronicle.get(f"/v1/reports/{issued['id']}", format="pdf", lang="ru")).content
        assert members["report/personal_data.ru.pdf"] == pages

    async def test_of_a_period_holds_every_fact_of_it(self, chronicle, year):
        period = {"ledgers": ["access", "decisions"], "first_day": "2026-01-13", "last_day": "2026-01-14"}
        fact, checks, _ = await self.pack(chronicle, {"period": period})
        assert fact["excerpts"] == {"access": [1, 2, 3, 4, 5, 6, 7]}
        assert "access: every fact from 1 to 7 is there" in checks

    async def test_leaves_personal_data_sealed_and_its_commitments_whole(self, chronicle, year):
        decision = year.records["decisions"][1]
        _, _, data = await self.pack(chronicle, {"decision_id": str(decision.event_id)})
        assert json.loads(decision.data)["inputs"].startswith("sealed.v1.")
        assert decision.data in data.replace(b'\\"', b'"')
        assert b'"income": 100' not in data

    async def test_of_what_is_not_known_is_not_found(self, chronicle, year):
        for body, code in (
            ({"version_id": "none.1"}, "pack.scope_unknown"),
            ({"promotion_id": "none"}, "pack.scope_unknown"),
            ({"report_id": "none"}, "report.unknown"),
            ({"decision_id": str(year.records["registry"][0].event_id)}, "evidence.no_decision"),
        ):
            answer = await chronicle.post("/v1/packs", body)
            assert (answer.status_code, answer.json()["code"]) == (404, code)


class TestOrigins:
    @pytest.fixture
    def stock(self):
        return None

    async def test_tells_how_the_training_data_was_built_and_by_which_lease_it_was_decided(self, chronicle, kit):
        dataset = {"dataset_id": "april", "name": "April"}
        other = {"dataset_id": "may", "name": "May"}
        built = "features.dataset.built"
        facts = [kit.record("features", 1, built, other), kit.record("features", 2, built, dataset)]
        await chronicle.seal("features", facts)
        lease = kit.record("decisions", 1, "decisions.lease.granted", {"consumer": "bank-app"})
        meta = json.dumps({"authorization": {"lease": str(lease.event_id)}}).encode()
        about = {"model_id": "credit", "version_id": "credit.1", "score": 0.5, "decision": "refuse"}
        decision = kit.record("decisions", 2, "decisions.decision.made", about, meta=meta)
        await chronicle.seal("decisions", [lease, decision])
        await chronicle.seal("registry", kit.registry())
        await chronicle.seal("inference")
        made = await chronicle.post("/v1/packs", {"decision_id": str(decision.event_id)})
        assert made.json()["facts"][0]["data"]["excerpts"] == {"decisions": [1, 2], "features": [2]}
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}")
        assert verify(pack.content, remade).faults == []


class TestPack:
    async def test_of_a_decision_verifies_offline(self, chronicle, records, kit):
        """Row: the regulator gets a pack and checks it alone."""
        body = {"decision_id": str(records[6].event_id), "kept": {"decisions": [5]}}
        made = await chronicle.post("/v1/packs", body, by="rita")
        assert made.status_code == 201, made.text
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}", by="rita")
        _, kept = kit.checkpoint("decisions", records[:5])
        verdict = verify(pack.content, remade, kept=[kept.encode()])
        assert verdict.faults == []
        assert "decisions: 1 facts proved to be in a ledger of 20" in verdict.checks
        assert [fact.type for fact in await chronicle.facts()] == ["audit.pack.made", "audit.pack.read"]

    async def test_of_a_model_verifies_offline(self, chronicle):
        made = await chronicle.post("/v1/packs", {"model_id": "credit"})
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}")
        verdict = verify(pack.content, remade)
        assert verdict.good
        assert "registry: 3 facts, contiguous, their root is the checkpoint's" in verdict.checks

    async def test_of_a_registry_fact_not_sealed_yet_is_refused(self, chronicle, kit):
        later = kit.record("registry", 4, "registry.x.y", {})
        await chronicle.resources.copies.append("registry", [later])
        answer = await chronicle.post("/v1/packs", {"events": [str(later.event_id)]})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")

    async def test_of_a_copy_that_was_changed_is_not_made(self, chronicle, records, audit_database):
        with psycopg.connect(audit_database.superuser_url) as connection:
            for part in ("record", "record_decisions", "record_decisions_p0"):
                connection.execute(f"ALTER TABLE copy.{part} DISABLE TRIGGER ALL")
            connection.execute('UPDATE copy.record SET data = \'{"model_id":"credit"}\' WHERE position = 7')
        for answer in (
            await chronicle.post("/v1/packs", {"events": [str(records[6].event_id)]}),
            await chronicle.get(f"/v1/evidence/{records[6].event_id}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (500, "log.not_as_sealed")

    async def test_asked_for_twice_is_made_once(self, chronicle):
        first = await chronicle.post("/v1/packs", {"model_id": "credit"}, key="one")
        again = await chronicle.post("/v1/packs", {"model_id": "credit"}, key="one")
        assert first.json() == again.json()
        assert len(await chronicle.facts()) == 1

    async def test_of_nothing_is_refused(self, chronicle):
        answer = await chronicle.post("/v1/packs", {})
        assert (answer.status_code, answer.json()["code"]) == (422, "pack.scope_missing")

    async def test_of_a_fact_not_sealed_yet_is_refused(self, chronicle, kit):
        later = kit.decisions(25)[20:]
        await chronicle.resources.copies.append("decisions", later)
        answer = await chronicle.post("/v1/packs", {"decision_id": str(later[0].event_id)})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")

    async def test_needs_a_purpose_and_a_role(self, chronicle):
        assert (await chronicle.post("/v1/packs", {"model_id": "credit"}, by="anna")).status_code == 403
        chronicle.headers.clear()
        assert (await chronicle.post("/v1/packs", {"model_id": "credit"})).status_code == 403

    async def test_that_was_never_made_is_not_found(self, chronicle):
        assert (await chronicle.get("/v1/packs/nothing")).status_code == 404
